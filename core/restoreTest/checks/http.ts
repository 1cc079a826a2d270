// A web server in the guest answers a request as it should.

import { type CheckFunction, type CheckOf, cannotTell, fails, holds, type Observation } from "./check.js";
import { type HttpAnswer, requestOnce } from "./httpRequest.js";
import { complaintAbout, describeWanted } from "./patterns.js";
import { isOutOfTime, messageOf } from "./problems.js";

export const checkHttp: CheckFunction<"http"> = async (check, context, { signal }) => {
  const expected = describe(check);
  const hostPort = context.hostPort(check.port);
  if (hostPort === null) return cannotTell(expected, "", `port ${check.port} of the guest is not forwarded`);
  try {
    const answer = await requestOnce({ ...check, hostPort }, { signal });
    const testEndsAtMs = context.startedAtMs + context.now();
    return judge(answer, check, expected, testEndsAtMs);
  } catch (error) {
    if (signal.aborted && !isOutOfTime(signal)) throw error;
    return fails(expected, signal.aborted ? "no complete answer in time" : messageOf(error), "no answer");
  }
};

function judge(answer: HttpAnswer, check: CheckOf<"http">, expected: string, nowMs: number): Observation {
  const { status, statusText, body, isCut, encoding, validToMs } = answer;
  const certificate = check.tls ? `, certificate valid until ${validToMs === null ? "?" : isoOf(validToMs)}` : "";
  const observed = `${status} ${statusText}${certificate}\n${body}`;
  if (!check.status.includes(status)) return fails(expected, observed, `the status is ${status}`);
  const asksForBody = check.matches !== null || check.forbidden !== null;
  if (asksForBody && encoding !== null)
    return cannotTell(expected, observed, `the body comes encoded as ${encoding}, which was not asked for`);
  const complaint = complaintAbout(body, check);
  if (isCut && (complaint?.startsWith("nothing matches") || check.forbidden !== null))
    return cannotTell(expected, observed, "the body is longer than what is read of it");
  if (complaint !== null) return fails(expected, observed, complaint);
  return judgeCertificate(check, expected, observed, validToMs, nowMs) ?? holds(expected, observed);
}

/** Null: as it should be, or not asked. */
function judgeCertificate(
  { tls, validForMs }: CheckOf<"http">,
  expected: string,
  observed: string,
  validToMs: number | null,
  nowMs: number,
): Observation | null {
  if (validForMs === null) return null;
  if (!tls) return cannotTell(expected, observed, "without TLS there is no certificate");
  if (validToMs === null) return cannotTell(expected, observed, "the certificate does not say how long it is valid");
  return validToMs < nowMs + validForMs ? fails(expected, observed, "the certificate expires too early") : null;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function describe(check: CheckOf<"http">): string {
  const { port, path, tls, host, status, validForMs } = check;
  const certificate = validForMs === null ? "" : `, certificate valid for ${Math.floor(validForMs / 86_400_000)} days`;
  const url = `${tls ? "https" : "http"}://${host}:${port}${path}`;
  return `${url} answers ${status.join(" or ")}${describeWanted("body", check)}${certificate}`;
}
