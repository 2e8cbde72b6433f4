/** The console's one stylesheet. Light and dark by the reader's choice; contrast 4.5:1 in both. */
export const style = `
@layer tokens, base, parts;
@layer tokens {
  :root {
    color-scheme: light dark;
    --paper: light-dark(#ffffff, #16181b);
    --ink: light-dark(#1b1d20, #e6e8eb);
    --soft: light-dark(#5a6068, #a2a9b3);
    --line: light-dark(#c9ced6, #3a4048);
    --act: light-dark(#0b57c2, #8ab8ff);
    --on-act: light-dark(#ffffff, #101418);
    --alarm: light-dark(#a11212, #ff9d94);
  }
}
@layer base {
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
  header { display: flex; justify-content: space-between; align-items: center; gap: 1rem;
    padding: .5rem 1.5rem; border-bottom: 1px solid var(--line); }
  nav a { margin-right: 1rem; }
  main { max-width: 64rem; margin: 0 auto; padding: 1.5rem; }
  h1 { font-size: 1.4rem; margin: 0 0 1rem; }
  a { color: var(--act); }
  code { overflow-wrap: anywhere; }
  dt { color: var(--soft); }
  dd { margin: 0 0 .5rem; }
  :focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
}
@layer parts {
  table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; }
  caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
  th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
    overflow-wrap: anywhere; vertical-align: top; }
  label { display: block; margin: 1rem 0 .5rem; }
  dialog { max-width: 30rem; color: var(--ink); background: var(--paper); border: 1px solid var(--line);
    border-radius: 8px; }
  dialog::backdrop { background: rgb(0 0 0 / 50%); }
  dialog input { width: 100%; box-sizing: border-box; margin: .3rem 0 .7rem; }
  input { padding: .4rem .5rem; font: inherit; color: inherit; background: transparent;
    border: 1px solid var(--soft); border-radius: 6px; }
  button { padding: .35rem .8rem; font: inherit; cursor: pointer; color: var(--on-act);
    background: var(--act); border: 1px solid var(--act); border-radius: 6px; }
  button.second { color: var(--act); background: transparent; }
  button:disabled { opacity: .6; cursor: default; }
  .soft { color: var(--soft); }
  [role='alert']:not(:empty) { padding: .6rem .8rem; border: 1px solid var(--alarm);
    border-left-width: 6px; color: var(--alarm); }
}
`
