/** What stands in a pack for the person who opens it. */
import type { Manifest } from './pack-format.ts'

/** @param vkeys shown only for comparing. */
export function readme(of: Omit<Manifest, 'files'>, vkeys: readonly string[]): string {
  const { counts } = of
  const scope =
    of.scope === 'whole'
      ? 'Every entry of the sessions and calls that were asked for is here.'
      : 'These are the entries that a query found; others of the same sessions may stand between them.'
  return `A part of the record of a Sallyport gateway, with what proves it.

Log          ${of.origin}
Made         ${of.made}, by version ${of.version}
Asked for    ${JSON.stringify(of.asked)}
Holds        entries: ${counts.entries}, calls: ${counts.calls}, sessions: ${counts.sessions}
Bodies       ${counts.bodies}, of which ${counts.keys} can be opened with keys in this folder
${scope}

To read it    open replay.html, or replay.txt
To check it   node verify.mjs --key VKEY        (Node 20 or later; no network, nothing to install)

VKEY is the public key of the log, one line of the form name+id+base64. Use the one that you were
given by another way than this folder. Whoever could make a false pack could put a false key into
it, so the key in log.vkey is for comparing only:

${vkeys.map((vkey) => `    ${vkey}`).join('\n')}

It ends with 0: proven. 1: disproven, with the first bad place in words. 2: it cannot be told, as
when no key was given.

The verifier came with the pack, and whoever could make a false pack could have made a false
verifier. If that matters, use one that you have from elsewhere: "sallyport audit verify FOLDER".
It is short JavaScript without its types, in verifier/, for whoever wants to read it.

What this proves, once you trust the key
  - each entry stood at its place in the log when its checkpoint was signed, and is unchanged since;
  - the text of each call and answer is the one whose digest its entry holds, and its key opens it
    to one text only;
  - of sessions that are here as a whole: each call has its end, and as many calls are here as the
    end of the session says;
  - this folder is as the gateway made it: no file was changed, added or taken away.

What it does not prove
  - what else is in the log, before, between and after these entries;
  - that the clock of the gateway was right, unless a witness signed with a time of its own (--witness);
  - that the gateway wrote down what really happened: whoever held its key and its machine at that
    time could write otherwise. Checkpoints that were kept elsewhere, or witnessed, bind it from then on;
  - anything about replay.html and replay.txt beyond that the gateway made them with this pack. What
    counts is in entries.jsonl and bodies.bin.

Card numbers were masked before anything was recorded. The keys in keys.jsonl open the bodies of this
pack and no others, even after the content of its month was destroyed in the record itself: keep
this folder as you would keep the record.
`
}
