/** Links by which a text of a server carries off what the model knows. */
import type { Sighting } from './piece.ts'
import { union } from './union.ts'

const partMax = 262_144
const hint = /!\[|<img|https?:|\bsend\b|\bpost\b|\bupload\b/i
const image = union('gi', [
  /!\[[^\]\n]{0,200}\]\(\s{0,4}<?(https?:\/\/[^\s)>]{1,2000})/i,
  /<img\b[^>]{0,400}\bsrc\s{0,4}=\s{0,4}["']?(https?:\/\/[^\s"'>]{1,2000})/i,
  /!\[[^\]\n]{0,200}\]\[[^\]\n]{1,60}\]/i,
])
/** A query to be filled in, or filled with what looks like data. */
const filled =
  /[?&/=](?:data|d|q|c|info|secret|token|key|leak|exfil|content|payload|text|msg|prompt|history|chat|conversation|summary|email|password|user|name|cookie|env)=(?:\{[^}]{0,60}\}|\[[^\]]{1,60}\]|<[^>]{1,60}>|%7B|%5B|\$\{|[A-Z_]{6,40}(?:$|&|_)|YOUR|INSERT|REPLACE|[A-Za-z0-9+/_-]{48,}={0,2})/
const placeholder = union('i', [
  /\{\{?[\w .'-]{2,60}\}?\}/i,
  /\[(?:insert|the|your|data|user|conversation|summary)[^\]]{0,60}\]/i,
  /<(?:data|secret|insert|user|conversation)[^>]{0,40}>/i,
])
const ordered =
  /\b(?:send|post|upload|forward|transmit|submit|exfiltrate|report|deliver|leak|e-?mail|append|encode)\b[^\n]{0,100}\b(?:to|at|via|into|in|using)\b[^\n]{0,40}(?:https?:\/\/[^\s)>"']{4,200}|\b[\w.+-]{1,60}@[\w-]{1,60}\.[\w.]{2,20}\b)/i
const what =
  /\b(?:results?|data|output|contents?|conversation|history|file|files|credentials?|tokens?|keys?|secrets?|passwords?|answers?|response|messages?|context|prompt|records?|card|cards|details|information|everything|all)\b/i
const human =
  /\b(?:please )?(?:send|submit|report|e-?mail)\b[^\n]{0,30}\b(?:your|bug|issues?|feedback|questions?|request|application|pull requests?|patches|us|invoice|a (?:GET|POST|PUT|DELETE|request)|GET|POST|PUT|requests?)\b/i

/** @returns the surest sign that `whole`, which came from a server, sends something away. */
export function exfiltration(whole: string): Sighting | undefined {
  const text = whole.slice(0, partMax)
  if (!hint.test(text)) return undefined
  let count = 0
  image.lastIndex = 0
  for (let found = image.exec(text); found !== null && count++ < 64; found = image.exec(text)) {
    const address = found[1] ?? found[2] ?? ''
    if (/[?&#]/.test(address) && (filled.test(address) || placeholder.test(address))) {
      image.lastIndex = 0
      return { what: 'image', confidence: 'high' }
    }
  }
  image.lastIndex = 0
  const order = ordered.exec(text)?.[0]
  if (order !== undefined && what.test(order)) {
    return { what: 'order', confidence: human.test(order) ? 'low' : 'high' }
  }
  const link = /\]\(\s{0,4}<?https?:\/\/[^\s)>]{1,2000}/i.exec(text)?.[0]
  if (link !== undefined && placeholder.test(link) && filled.test(link))
    return { what: 'link', confidence: 'medium' }
  return undefined
}
