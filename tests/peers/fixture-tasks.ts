/**
 * The fixture's tasks (extension `io.modelcontextprotocol/tasks` of MCP 2026-07-28). The SDK has no
 * server half of it, so states, methods and gates are ours.
 */
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import type {
  CallToolResult,
  InputRequests,
  McpServer,
  ServerContext,
} from '@modelcontextprotocol/server'
import * as z from 'zod'
import { newId } from '../../src/base/ids.ts'
import { ask, member, sleep, text } from './fixture-kit.ts'
import type { FixtureTool, ToolArguments } from './fixture-kit.ts'

export const tasksExtension = 'io.modelcontextprotocol/tasks'

interface Task {
  readonly taskId: string
  status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'
  readonly createdAt: string
  lastUpdatedAt: string
  readonly ttlMs: number
  readonly pollIntervalMs: number
  result?: CallToolResult
  error?: { code: number; message: string }
  inputRequests?: InputRequests
}

interface Live {
  readonly task: Task
  readonly answers: Record<string, unknown>
  /** Called when input arrived or the task was cancelled. */
  wake(): void
}

/** Tasks outlive the request that made them, and each modern request has a server of its own. */
const live = new Map<string, Live>()
const liveMax = 10_000

type Work = (live: Live, args: ToolArguments) => Promise<CallToolResult>

/** Whether this very request says that the client knows tasks. */
function knowsTasks(ctx: ServerContext): boolean {
  const path = [CLIENT_CAPABILITIES_META_KEY, 'extensions', tasksExtension]
  return member(ctx.mcpReq.envelope, ...path) !== undefined
}

function demandTasks(ctx: ServerContext): void {
  if (knowsTasks(ctx)) return
  const requiredCapabilities = { extensions: { [tasksExtension]: {} } }
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities })
}

/** Starts the work and answers with the new task, or with the result where tasks are not known. */
async function begin(work: Work, args: ToolArguments, ctx: ServerContext): Promise<CallToolResult> {
  const now = new Date().toISOString()
  const stamps = { createdAt: now, lastUpdatedAt: now, ttlMs: 300_000, pollIntervalMs: 200 }
  const task: Task = { taskId: newId('task'), status: 'working', ...stamps }
  const entry: Live = { task, answers: {}, wake: () => {} }
  if (!knowsTasks(ctx)) return work(entry, args)
  if (live.size >= liveMax) live.clear()
  live.set(task.taskId, entry)
  // What a client sees of a task is a snapshot: the work goes on changing this one.
  const shown = { ...task, resultType: 'task', content: [] }
  void finish(entry, work(entry, args))
  return shown
}

async function finish({ task }: Live, work: Promise<CallToolResult>): Promise<void> {
  try {
    const result = await work
    if (task.status === 'cancelled') return
    task.result = result
    settle(task, 'completed')
  } catch (error) {
    if (task.status === 'cancelled') return
    const message = error instanceof Error ? error.message : 'The task failed'
    task.error = { code: ProtocolErrorCode.InternalError, message }
    settle(task, 'failed')
  }
}

function settle(task: Task, status: Task['status']): void {
  task.status = status
  task.lastUpdatedAt = new Date().toISOString()
  if (status !== 'input_required') delete task.inputRequests
}

/** Parks the task until each of the requests has its answer, or the task is cancelled. */
async function need(entry: Live, requests: InputRequests): Promise<void> {
  entry.task.inputRequests = { ...requests }
  settle(entry.task, 'input_required')
  while (entry.task.status === 'input_required' && openKeys(entry.task).length > 0) {
    const { promise, resolve } = Promise.withResolvers<void>()
    Object.assign(entry, { wake: resolve })
    await promise
  }
  if (entry.task.status === 'input_required') settle(entry.task, 'working')
}

const openKeys = (task: Task): string[] => Object.keys(task.inputRequests ?? {})

const compute: Work = async ({ task }, { seconds, label }) => {
  const until = Date.now() + Number(seconds ?? 0) * 1000
  while (Date.now() < until && task.status === 'working') await sleep(50)
  return text(`Computed ${typeof label === 'string' ? label : 'nothing'}.`)
}
const fail: Work = async () => {
  await sleep(300)
  return { ...text('This job fails on purpose.'), isError: true }
}
const crash: Work = async () => {
  await sleep(100)
  throw new Error('This job breaks on purpose.')
}
const remove: Work = async (entry, { filename }) => {
  await need(entry, { confirm: ask(`Delete ${String(filename)}?`, 'confirm', 'boolean') })
  return text(`Deleted: ${String(member(entry.answers['confirm'], 'content', 'confirm'))}.`)
}
const twoInputs: Work = async (entry) => {
  const one = ask('Your name?', 'name', 'string')
  await need(entry, { one, two: ask('Are you sure?', 'confirm', 'boolean') })
  return text('Both answers are here.')
}

const seconds = z.object({ seconds: z.number().optional(), label: z.string().optional() })

export const taskTools: readonly FixtureTool[] = [
  {
    name: 'greet',
    description: 'Says hello; never a task',
    inputSchema: z.object({ name: z.string() }),
    run: ({ name }) => text(`Hello, ${String(name)}!`),
  },
  {
    name: 'slow_compute',
    description: 'Takes as many seconds as it is told to; a task for clients that know tasks',
    inputSchema: seconds,
    run: (args, ctx) => begin(compute, args, ctx),
  },
  {
    name: 'failing_job',
    description: 'A task that ends with a tool error; only for clients that know tasks',
    run: (args, ctx) => {
      demandTasks(ctx)
      return begin(fail, args, ctx)
    },
  },
  {
    name: 'protocol_error_job',
    description: 'A task that ends with a protocol error',
    run: (args, ctx) => begin(crash, args, ctx),
  },
  {
    name: 'confirm_delete',
    description: 'A task that asks before it goes on',
    inputSchema: z.object({ filename: z.string() }),
    run: (args, ctx) => {
      demandTasks(ctx)
      return begin(remove, args, ctx)
    },
  },
  {
    name: 'multi_input',
    description: 'A task that asks two things at once',
    run: (args, ctx) => {
      demandTasks(ctx)
      return begin(twoInputs, args, ctx)
    },
  },
  {
    name: 'test_tool_with_task',
    description: 'Asks for a name first, then becomes a task',
    run: (args, ctx) => {
      const name = member(acceptedContent(ctx.mcpReq.inputResponses, 'user_name'), 'name')
      if (typeof name === 'string') return begin(async () => text(`Done for ${name}.`), args, ctx)
      return inputRequired({
        inputRequests: { user_name: ask('What is your name?', 'name', 'string') },
      })
    },
  },
]

/** Serves `tasks/get`, `tasks/update` and `tasks/cancel`; `tasks/list` and `tasks/result` are gone. */
export function serveTasks(mcp: McpServer): void {
  const one = z.object({ taskId: z.string() })
  mcp.server.setRequestHandler('tasks/get', { params: one }, ({ taskId }, ctx) => {
    return { ...found(taskId, ctx).task }
  })
  mcp.server.setRequestHandler('tasks/cancel', { params: one }, ({ taskId }, ctx) => {
    const entry = found(taskId, ctx)
    if (entry.task.status === 'working' || entry.task.status === 'input_required') {
      settle(entry.task, 'cancelled')
      entry.wake()
    }
    return {}
  })
  mcp.server.setRequestHandler('tasks/update', { params: one }, ({ taskId }, ctx) => {
    const entry = found(taskId, ctx)
    // The SDK lifts `inputResponses` out of the params of every request.
    for (const [key, answer] of Object.entries(ctx.mcpReq.inputResponses ?? {})) {
      if (!openKeys(entry.task).includes(key)) continue
      entry.answers[key] = answer
      delete entry.task.inputRequests?.[key]
    }
    entry.wake()
    return {}
  })
}

function found(taskId: string, ctx: ServerContext): Live {
  demandTasks(ctx)
  const entry = live.get(taskId)
  if (entry === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'No such task')
  return entry
}
