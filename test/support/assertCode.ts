// Asserts on errors of ours by their code, never by text.

import assert from "node:assert/strict";
import { isOurError, type RepriseError } from "../../core/errors.js";

/** Waits for `promise` to fail with the given code and returns the error. `about` is for the message of a failed test. */
export async function assertCode(promise: Promise<unknown>, code: string, about = ""): Promise<RepriseError> {
  const error = await promise.then(
    () => assert.fail(`${about}: expected ${code}, but it succeeded`),
    (thrown: unknown) => thrown,
  );
  assert.ok(isOurError(error, code), `${about}: expected ${code}, got ${String(error)}`);
  return error;
}

/** The same for a call that throws at once. */
export function assertThrowsCode(call: () => unknown, code: string, about = ""): RepriseError {
  try {
    call();
  } catch (error) {
    assert.ok(isOurError(error, code), `${about}: expected ${code}, got ${String(error)}`);
    return error;
  }
  return assert.fail(`${about}: expected ${code}, but it succeeded`);
}
