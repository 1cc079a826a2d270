// Errors as data that can be posted, with text that no terminal or log obeys.

import { errorToData, inert, inertLine, isAbort } from "../../core/index.js";
import type { ErrorData } from "./protocol.js";

export function plainError(error: unknown): ErrorData {
  if (isAbort(error)) return { name: "AbortError", message: "cancelled" };
  const { name, message, family, code, data, hint, retry, stack } = errorToData(error);
  const where = code === undefined && stack !== undefined ? { stack: inert(stack) } : {};
  return { name, message: inertLine(message), family, code, data: cloneable(data), hint, retry, ...where };
}

/** What of the data can cross threads as JSON does; the rest is left out. */
function cloneable(data: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (data === undefined) return undefined;
  try {
    return JSON.parse(JSON.stringify(data, (_, value) => (typeof value === "bigint" ? String(value) : value)));
  } catch {
    return {};
  }
}
