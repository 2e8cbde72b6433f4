/** Whether the tasks extension still is what `tasks.ts` says: its own checks tell what they look at. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from './schemas.ts'
import { tasksExtension } from './tasks.ts'

interface Check {
  safeParse(value: unknown): unknown
}

// By a name in a variable: it comes along with another package, and is not one of ours.
const published = '@modelcontextprotocol/ext-tasks/core/v2'
const checks = (await import(published).catch(() => undefined)) as Record<string, Check> | undefined
const missing = checks === undefined ? `needs ${published}` : false

/** The names that a check reads from an object, in one state of a task. */
function read(name: string, status?: string): string[] {
  const check = checks?.[name]
  assert.ok(check, `${published} has no ${name}: change tests/hostile/tasks.ts`)
  const names = new Set<string>()
  const given = new Proxy(status === undefined ? {} : { status }, {
    get: (target, key) => {
      if (typeof key === 'string') names.add(key)
      return Reflect.get(target, key) as unknown
    },
  })
  check.safeParse(given)
  return [...names].filter((key) => !(key in Object.prototype)).sort()
}

const statusOf = (schema: Schema): string => String(schema.properties?.['status']?.const)
const ours = (schema: Schema | undefined): string[] => Object.keys(schema?.properties ?? {}).sort()

test('the tasks extension has the members that we know', { skip: missing }, () => {
  const { CreateTaskResult, GetTaskResult, UpdateTaskResult, CancelTaskResult } = tasksExtension
  assert.deepEqual(read('CreateTaskResultV2Schema', 'working'), ours(CreateTaskResult))
  assert.deepEqual(read('UpdateTaskResultV2Schema'), ours(UpdateTaskResult))
  assert.deepEqual(read('CancelTaskResultV2Schema'), ours(CancelTaskResult))
  const told = tasksExtension['TaskStatusNotification']?.properties?.['params']?.anyOf ?? []
  for (const state of GetTaskResult?.anyOf ?? []) {
    assert.deepEqual(read('GetTaskResultV2Schema', statusOf(state)), ours(state))
  }
  for (const state of told) {
    const name = 'TaskStatusNotificationParamsV2Schema'
    assert.deepEqual(read(name, statusOf(state)), ours(state))
  }
  assert.equal(told.length, 5)
})
