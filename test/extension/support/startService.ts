// The real service in its worker thread, without an editor.

import { ServiceClient, ServiceError } from "../../../extension/service/client.js";
import type { RepositoryInfo } from "../../../extension/service/protocol.js";
import { inProject } from "../../support/projectRoot.js";

export const SERVICE_SCRIPT = inProject("build", "extension", "service", "serviceWorker.js");

export interface StartedService {
  client: ServiceClient;
  warnings: string[];
  stopped: ServiceError[];
  open(location: string, secret: string | null): Promise<RepositoryInfo>;
}

export function startService(): StartedService {
  const warnings: string[] = [];
  const stopped: ServiceError[] = [];
  const client = new ServiceClient(SERVICE_SCRIPT, {
    onWarning: ({ code }) => void warnings.push(code),
    onStopped: (error) => void stopped.push(error),
  });
  const open = (location: string, secret: string | null) =>
    client.call("openRepository", { location, secret, cacheFolder: null, stateFolder: null });
  return { client, warnings, stopped, open };
}

/** Waits for a call to fail with this code. */
export async function failure(call: Promise<unknown>, code: string): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ServiceError && error.code === code) return error;
    throw new Error(`expected ${code}, got ${String(error)}`, { cause: error });
  }
  throw new Error(`expected ${code}, but it succeeded`);
}
