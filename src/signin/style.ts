/** The one stylesheet of these pages. Light and dark by the reader's choice; contrast 4.5:1 in both. */
export const style = `
@layer tokens, base, parts;
@layer tokens {
  :root {
    color-scheme: light dark;
    --paper: light-dark(#ffffff, #16181b);
    --ink: light-dark(#1b1d20, #e6e8eb);
    --soft: light-dark(#5a6068, #a2a9b3);
    --line: light-dark(#8a9099, #6b727c);
    --act: light-dark(#0b57c2, #8ab8ff);
    --on-act: light-dark(#ffffff, #101418);
    --alarm: light-dark(#a11212, #ff9d94);
  }
}
@layer base {
  * { box-sizing: border-box; }
  body {
    margin: 0; padding: 10vh 1rem 2rem; background: var(--paper); color: var(--ink);
    font: 16px/1.5 system-ui, sans-serif;
  }
  main { max-width: 26rem; margin: 0 auto; }
  h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 1rem; }
  h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  p { margin: 0 0 1rem; }
  a { color: var(--act); }
  :focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
}
@layer parts {
  label { display: block; margin: 0 0 1rem; }
  input {
    display: block; width: 100%; margin-top: .25rem; padding: .55rem .6rem; font: inherit;
    color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 6px;
  }
  button, a.button {
    display: block; width: 100%; margin: 0 0 1rem; padding: .6rem 1rem; font: inherit;
    font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
    color: var(--on-act); background: var(--act); border: 1px solid var(--act); border-radius: 6px;
  }
  button.second { color: var(--act); background: transparent; }
  button:disabled { opacity: .6; cursor: default; }
  .soft { color: var(--soft); font-size: .9rem; }
  [role='alert']:not(:empty) {
    padding: .6rem .8rem; border: 1px solid var(--alarm); border-left-width: 6px; color: var(--alarm);
  }
  ul { list-style: none; margin: 0; padding: 0; }
}
`
