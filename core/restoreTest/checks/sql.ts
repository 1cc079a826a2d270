// A query inside the guest, by the database's own client through the agent. The client gets an argument list, so nothing in the
// query is a shell's. PostgreSQL knows its user by the system's (peer authentication): there the client runs as that user.

import type { CheckContext, CheckFunction, CheckOf } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { describeResult, type ProgramRun, type RunOptions, runInGuest } from "./guestProgram.js";

export const checkSql: CheckFunction<"sql"> = async (check, context, { signal }) => {
  const expected = describe(check);
  const timeoutMs = check.timeoutMs;
  const run = await runClient(check, context, { signal, timeoutMs });
  if (run.kind === "absent") return cannotTell(expected, run.observed, run.reason);
  if (run.kind === "late") return fails(expected, "no answer", `the query did not end within ${timeoutMs} ms`);
  const { result } = run;
  const observed = describeResult(result);
  if (result.exitCode !== 0) return fails(expected, observed, "the query failed");
  if (result.truncated) return cannotTell(expected, observed, "the agent did not keep all of the answer");
  const answer = result.stdout.replace(/\r?\n$/, "");
  if (check.equals !== null && answer !== check.equals) return fails(expected, answer, "the answer is another");
  if (check.matches !== null && !check.matches.test(answer))
    return fails(expected, answer, `the answer does not match ${check.matches}`);
  return holds(expected, answer);
};

/** runuser is missing in small systems, and a database's user need not be one of the system's: then as the agent's user. */
async function runClient(check: CheckOf<"sql">, context: CheckContext, options: RunOptions): Promise<ProgramRun> {
  const client = clientArguments(check);
  if (check.client !== "psql") return missingProgram(await runInGuest(client, context, options), check.client);
  const asUser = ["runuser", `--user=${check.user}`, "--", ...client];
  const run = await runInGuest(asUser, context, options);
  const again =
    (run.kind === "absent" && context.agent !== null) ||
    (run.kind === "ended" && /^runuser: user .*does not exist/m.test(run.result.stderr));
  return missingProgram(again ? await runInGuest(client, context, options) : run, check.client);
}

/** runuser ends with 126 or 127 when it could not start the client: that says nothing about the database. */
function missingProgram(run: ProgramRun, client: string): ProgramRun {
  if (run.kind !== "ended" || (run.result.exitCode !== 126 && run.result.exitCode !== 127)) return run;
  return { kind: "absent", observed: describeResult(run.result), reason: `${client} could not be run in the guest` };
}

/** Every value in one word with its option, so that none can be taken for an option itself. */
export function clientArguments({ client, database, user, query }: CheckOf<"sql">): string[] {
  if (client === "psql") {
    const quiet = ["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password"];
    return [
      "psql",
      ...quiet,
      "--set=ON_ERROR_STOP=1",
      `--username=${user}`,
      `--dbname=${database}`,
      `--command=${query}`,
    ];
  }
  const quiet = ["--batch", "--raw", "--skip-column-names"];
  return ["mysql", ...quiet, `--user=${user}`, `--database=${database}`, `--execute=${query}`];
}

function describe({ client, database, query, equals, matches }: CheckOf<"sql">): string {
  const value = equals === null ? "" : ` answers "${equals}"`;
  const pattern = matches === null ? "" : ` answers what matches ${matches}`;
  return `${client} ${database}: ${query}${value}${pattern}`;
}
