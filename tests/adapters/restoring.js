/** What a program asks of test_adapters.py, which starts it: `backup NAME` or `restore NAME`; it goes on when that is done. */

import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

export async function ask(what) {
  console.log(`! ${what}`)
  assert.equal((await answers.next()).value, 'done')
}
