/** The one style sheet of a replay as a page: light and dark, on a screen and on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1c1e21, #e6e7e9);
  --quiet: light-dark(#545960, #a9afb7);
  --paper: light-dark(#ffffff, #16181b);
  --sheet: light-dark(#f4f5f7, #202327);
  --rule: light-dark(#c9cdd3, #444a52);
  --link: light-dark(#0b4fa8, #8ab8f5);
  --warn: light-dark(#8a1c12, #ffb1a6);
}
* { box-sizing: border-box }
body {
  margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 90rem;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums;
}
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
a { color: var(--link) }
:target { outline: 2px solid var(--link); outline-offset: 4px }
a:focus-visible, summary:focus-visible, .wide:focus-visible { outline: 2px solid var(--link) }
article { border: 1px solid var(--rule); border-radius: 6px; padding: .75rem 1rem; margin: 0 0 1rem }
article > ol { list-style: none; margin: 0; padding: 0 }
article li { border-top: 1px solid var(--rule); padding: .4rem 0 }
li p { margin: 0; overflow-wrap: anywhere }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 .5rem }
.facts dt, .quiet, time, caption { color: var(--quiet) }
.facts dd { margin: 0; overflow-wrap: anywhere }
.piece { margin: .25rem 0 .25rem 1.5rem }
pre {
  margin: .15rem 0; padding: .5rem .75rem; background: var(--sheet); border-left: 3px solid var(--rule);
  font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  unicode-bidi: isolate; tab-size: 4;
}
.odd { border: 1px solid currentcolor; border-radius: 3px; padding: 0 .15em; font: 600 .8em monospace }
.note { color: var(--warn); font-weight: 600 }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; padding: .25rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--rule) }
summary { cursor: pointer }
@media print {
  :root { color-scheme: light }
  body { max-width: none; padding: 0; font-size: 10pt }
  article { break-inside: auto } h3, li p { break-after: avoid }
  details::details-content { content-visibility: visible; block-size: auto }
  .wide { overflow: visible }
}
`
