/** Text of a server that speaks to the model instead of answering it. */
import type { Sighting } from './piece.ts'
import { union } from './union.ts'

const partMax = 262_144
const hint = union('i', [
  /ignor|disregard|forget|overrid|instruction|important|system|secret/i,
  /before (?:using|calling|you)|do not|don't|never|must|always|assistant|<\||\[inst|tool/i,
  /prompt|you are now|jailbreak|developer mode|vergiss|ignorier|oublie|ignora|olvida/i,
  /esque[cç]|忽略|無視|игнорир/i,
])

/** What only somebody says who wants a model to change its mind. */
const sure: readonly (readonly [what: string, form: RegExp])[] = [
  [
    'ignore_instructions',
    /\b(?:ignore|disregard|forget|override|bypass|discard|drop|neglect)\b[^.\n]{0,30}\b(?:all|any|every|the|your|my|these|those|previous|prior|above|earlier|preceding|former|existing|original|initial|current|system)\b[^.\n]{0,40}\b(?:instructions?|prompts?|rules?|directives?|guidelines?|commands?|constraints?|polic(?:y|ies)|context|messages?|training|safety)\b/i,
  ],
  [
    'ignore_instructions',
    union('iu', [
      /\b(?:vergiss|ignorier\w{0,3}|missachte)\b[^.\n]{0,40}\b(?:anweisungen|anleitung\w{0,2}|regeln|befehle|vorgaben)\b/iu,
      /\b(?:oublie[zr]?|ignore[zr]?)\b[^.\n]{0,40}\b(?:instructions?|consignes|règles|directives)\b/iu,
      /\b(?:ignora|olvida|omite|desestima)\w{0,3}\b[^.\n]{0,40}\b(?:instrucciones|reglas|órdenes|indicaciones)\b/iu,
      /\b(?:ignore|esqueça|desconsidere)\b[^.\n]{0,40}\b(?:instruções|regras)\b/iu,
      /\b(?:ignora|dimentica)\b[^.\n]{0,40}\b(?:istruzioni|regole)\b/iu,
      /\bnegeer\b[^.\n]{0,40}\binstructies\b|忽略[^。\n]{0,20}(?:指令|指示|提示|规则)/iu,
      /(?:指示|命令|指令)[^。\n]{0,12}無視|игнорир\w{0,6}[^.\n]{0,40}(?:инструкц|правил|указан)/iu,
    ]),
  ],
  [
    'role_marker',
    union('im', [
      /<\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id|eot_id|begin_of_text)\|>/i,
      /\[\/?INST\]|<<\/?SYS>>|<(?:start|end)_of_turn>/i,
      /^\s{0,4}#{2,3}\s{0,2}(?:system|instruction)s?\s{0,2}:/i,
      /<\/?(?:system|admin|developer)(?:[_-]?(?:prompt|message|instructions?|override|note))?>/i,
      /^\s{0,4}(?:\n|\\n){0,2}(?:system|assistant)\s{0,2}(?:prompt|message|override|note|instructions?)?\s{0,2}:\s{1,4}(?:you|ignore|from now|the user|do not|disregard|new|override|always|never|reveal|send|call|forget)/i,
    ]),
  ],
  [
    'important_tag',
    /<\/?(?:important|critical|urgent|secret|hidden|attention|priority|mandatory|required)[_ -]?(?:instructions?|notice|note|message|info)?>/i,
  ],
  [
    'secrecy',
    /\b(?:do not|don't|never|must not|without)\b[^.\n]{0,30}\b(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|reveal(?:ing)?|notify(?:ing)?|disclos(?:e|ing)|show(?:ing)?|alert(?:ing)?|let(?:ting)?|warn(?:ing)?|ask(?:ing)?)\b[^.\n]{0,40}\b(?:users?|human|person|customer|owner|them know|anyone|operator)\b/i,
  ],
  [
    'tool_steering',
    /\b(?:before|prior to|whenever|every time|each time|when|after|instead of)\b[^.\n]{0,30}\b(?:us(?:e|ing)|call(?:ing)?|invok(?:e|ing)|execut(?:e|ing)|run(?:ning)?)\b[^.\n]{0,40}\b(?:tools?|function|server|\w{2,40}_\w{2,40})\b[^.\n]{0,80}\b(?:you (?:must|should|need|have to)|must|always|first|read|send|pass|include|call|also)\b/i,
  ],
  [
    'file_request',
    /\b(?:read|open|cat|access|include|load|fetch|get|retrieve|pass|send|upload|attach|provide|dump|copy|print|exfiltrate)\b[^.\n]{0,60}(?:~\/\.ssh|\.ssh\/|id_rsa|~\/\.aws|\.aws\/credentials|~\/\.cursor|mcp\.json|claude_desktop_config|\/etc\/passwd|\/etc\/shadow|\.env\b(?!\.example)|\.netrc|\.npmrc|private keys?|api[_ -]?keys?\b[^.\n]{0,40}\b(?:to|in|as)\b|environment variables\b[^.\n]{0,40}\b(?:to|in|as|and)\b)/i,
  ],
  [
    'prompt_request',
    /\b(?:reveal|print|output|repeat|show|disclose|leak|tell me|send|return|include|append|write)\b[^.\n]{0,40}\b(?:your|the|full|entire|hidden|initial|original)\b[^.\n]{0,20}\b(?:system prompt|system message|initial prompt|hidden prompt|conversation history|chat history|previous messages|previous conversation|developer message)\b/i,
  ],
  [
    'new_role',
    union('i', [
      /\byou are (?:now|no longer)\b[^.\n]{0,60}\b(?:dan|unrestricted|jailbroken|free|without|an? (?:ai|assistant|model|agent|bot|evil|hacker|unfiltered)|in (?:developer|debug|god|admin|maintenance) mode|bound)\b/i,
      /\b(?:enter|enable|activate|switch to|switched into)\b[^.\n]{0,12}\b(?:developer|debug|god|dan|jailbreak|unrestricted|maintenance|admin)\s?mode\b/i,
      /\b(?:new|updated|revised) (?:system )?(?:instructions?|prompt|directives?|task)\s?(?::|from|for the (?:ai|assistant|model|agent))/i,
      /\bfrom now on,? (?:you|act|respond|always|ignore|answer)\b/i,
      /\b(?:attention|note|message|instructions?|notice|hey|hello|dear|reminder)\b[^.\n]{0,12}\b(?:to |for )?(?:the |all |any )?(?:ai|llm|language model|assistants?|ai agents?|chatbots?|gpt|claude|copilot|gemini)\b\s?(?:model|agent|assistant|system)?s?\s?[:,!-]/i,
    ]),
  ],
]
/** What manuals say as well. */
const likely: readonly (readonly [what: string, form: RegExp])[] = [
  [
    'addressed',
    /\b(?:as an ai|ai (?:assistant|agent|model)|language model|the (?:llm|assistant|model) (?:must|should|shall|has to|needs to))\b/i,
  ],
  [
    'must_call',
    /\byou (?:must|have to|need to|are required to)\b[^.\n]{0,40}\b(?:call|use|invoke|run|execute|send|forward|include)\b/i,
  ],
]
/** Texts about such texts: papers, tests, advice. */
const aboutIt =
  /\b(?:prompt injections?|jailbreak(?:s|ing)?|attackers?|adversar\w{0,8}|red team\w{0,4}|such as|for example|e\.g\.|example of|phrases? like|researchers?|paper|study|blog post|detect\w{0,4}|prevent\w{0,4}|defen[cs]e|mitigat\w{0,6}|security (?:training|team|guide|review)|how (?:to|do|does)|what (?:is|does)|dataset|classif\w{0,6}|tutorial|translate|meaning of|lesson|novel|movie|game|song)\b/i

/** Names of hosts and people are no words: `attacker@evil.example`. */
const isAboutIt = (text: string): boolean =>
  aboutIt.test(text.replaceAll(/[\w-]{1,64}(?:[.@][\w-]{1,64})+/g, '_'))

/** @returns the surest sign that `whole`, which came from a server, gives orders to a model. */
export function instructions(whole: string): Sighting | undefined {
  const text = whole.slice(0, partMax)
  if (!hint.test(text)) return undefined
  const seen = sure.filter(([, form]) => form.test(text))
  const [first] = seen
  if (first !== undefined) {
    const isMarked = seen.some(([what]) => what === 'role_marker' || what === 'file_request')
    if (seen.length > 1 && (isMarked || !isAboutIt(text)))
      return { what: first[0], confidence: 'certain' }
    return { what: first[0], confidence: isAboutIt(text) ? 'medium' : 'high' }
  }
  const weak = likely.find(([, form]) => form.test(text))
  return weak === undefined ? undefined : { what: weak[0], confidence: 'low' }
}
