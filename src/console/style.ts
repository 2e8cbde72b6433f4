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
  h1 { font-size: 1.4rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
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
  h2 { font-size: 1.15rem; margin: 1.8rem 0 .5rem; }
  h3 { font-size: 1rem; margin: 1rem 0 .3rem; overflow-wrap: anywhere; }
  pre { margin: .2rem 0 1rem; padding: .6rem .8rem; border: 1px solid var(--line);
    border-left: 4px solid var(--soft); font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap;
    overflow-wrap: anywhere; unicode-bidi: isolate; tab-size: 4; }
  .odd { border: 1px solid currentcolor; border-radius: 3px; padding: 0 .15em;
    font: 600 .85em ui-monospace, monospace; color: var(--alarm); }
  textarea, select, input { max-width: 100%; }
  textarea { display: block; width: 100%; padding: .4rem .5rem; font: inherit; color: inherit;
    background: transparent; border: 1px solid var(--soft); border-radius: 6px; }
  select { padding: .4rem .5rem; font: inherit; color: var(--ink); background: var(--paper);
    border: 1px solid var(--soft); border-radius: 6px; }
  [aria-invalid='true'] { border-color: var(--alarm); border-width: 2px; }
  .error { color: var(--alarm); font-weight: 600; margin: .3rem 0; min-height: 1.5em; }
  .warning { padding: .6rem .8rem; border: 1px solid var(--alarm); border-left-width: 6px; }
  .banner { padding: .6rem .8rem; border: 1px solid var(--line); border-left: 6px solid var(--act); }
  .banner p { margin: .2rem 0; }
  [role='status']:not(:empty) { padding: .6rem .8rem; border: 1px solid var(--act); border-left-width: 6px; }
  .cards { list-style: none; margin: 0; padding: 0; }
  .cards li { padding: .6rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
  .cards p { margin: .1rem 0; }
  .state { border: 1px solid currentcolor; border-radius: 4px; padding: 0 .35rem; font-size: .85rem;
    margin-left: .4rem; }
  .pairs { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .1rem 1rem; }
  .pairs dd { margin: 0; overflow-wrap: anywhere; }
  main form button { margin: .3rem .3rem .3rem 0; }
  summary { cursor: pointer; padding: .3rem 0; }
  @media (max-width: 40rem) {
    header { flex-wrap: wrap; padding: .5rem 1rem; }
    main { padding: 1rem; }
    .pairs { grid-template-columns: 1fr; }
    .pairs dd { margin-bottom: .5rem; }
    main button { min-height: 2.75rem; }
  }
  [role='alert']:not(:empty) { padding: .6rem .8rem; border: 1px solid var(--alarm);
    border-left-width: 6px; color: var(--alarm); }
}
`
