// Secrets, events and annotations as values.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { annotateProblems } from "../../action/annotations.js";
import { readEvent } from "../../action/event.js";
import { errorReport, problemOf } from "../../action/failure.js";
import { ProgressLog } from "../../action/progressLog.js";
import type { Runner } from "../../action/runner.js";
import { hideGivenSecrets } from "../../action/secretInputs.js";
import { SecretKeeper, secretsOf } from "../../action/secrets.js";
import { type Annotation, type JobReport, RepriseError } from "../../core/index.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const FRAME = {
  command: "backup",
  startedAt: "2026-11-22T00:00:00.000Z",
  finishedAt: "2026-11-22T00:00:01.000Z",
  dryRun: false,
  url: null,
  version: "0.0.0",
} as const;
const SHA = (digit: string) => digit.repeat(40);

describe("secrets", () => {
  it("are found in the environment by their names", () => {
    const env = {
      REPRISE_PASSPHRASE: "p1",
      REPRISE_RECOVERY_KEY: "p2",
      REPRISE_SIGNING_KEY: "p3",
      AWS_SECRET_ACCESS_KEY: "p4",
      AWS_SESSION_TOKEN: "p5",
      GITHUB_TOKEN: "hubtoken",
      WEBHOOK_SECRET: "hooksecret",
      DB_PASSWORD: "dbpassword",
      USE_TOKEN: "true",
      TOKEN_COUNT: "12345",
      SHORT_SECRET: "a",
      REPRISE_PASSPHRASE_FILE: "/no",
      AWS_ACCESS_KEY_ID: "no",
      GITHUB_ACTOR: "no",
      PATH: "/no",
      INPUT_REPOSITORY: "no",
      EMPTY_TOKEN: "",
    };
    assert.deepEqual(secretsOf(env), ["p1", "p2", "p3", "p4", "p5", "hubtoken", "hooksecret", "dbpassword"]);
  });

  it("are replaced in every form in which they may appear, also line by line", () => {
    const keeper = new SecretKeeper();
    const key = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\nq"1+/=\n-----END PRIVATE KEY-----\n';
    assert.ok(keeper.add(key).includes("MC4CAQAwBQYDK2Vw"));
    assert.deepEqual(keeper.add("MC4CAQAwBQYDK2Vw"), [], "is known");
    keeper.add("p&ss wörd");
    const text = `a MC4CAQAwBQYDK2Vw ${JSON.stringify('q"1+/=')} p%26ss%20w%C3%B6rd ${Buffer.from("p&ss wörd").toString("base64")}`;
    assert.equal(keeper.redact(text), 'a *** "***" *** ***');
    keeper.add("abc");
    assert.equal(keeper.redact("abc"), "abc", "too short to be replaced by us; the runner masks it");
  });

  it("in inputs that do not exist and in locations are hidden before anything else", () => {
    const hidden: string[] = [];
    const runner = { env: { INPUT_PASSPHRASE: "canary1", INPUT_X: "y" }, hide: (text: string) => hidden.push(text) };
    const values = new Map([["repository", "sftp://user:canary2@host/a?secret_key=canary3&b=c"]]);
    hideGivenSecrets(runner as unknown as Runner, { values, unknown: ["passphrase", "x"] });
    assert.deepEqual(hidden, ["canary1", "canary2", "canary3"]);
  });
});

describe("events", () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await makeTemporaryFolder("event");
  });
  after(() => folder.remove());

  async function read(name: string, payload: unknown, env: Record<string, string> = {}) {
    const path = join(folder.path, "event.json");
    await writeFile(path, typeof payload === "string" ? payload : JSON.stringify(payload));
    return await readEvent({ GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path, ...env });
  }

  it("of a pull request tell both ends, labels and description", async () => {
    const repo = (name: string) => ({ repo: { full_name: name } });
    const pullRequest = {
      number: 7,
      base: { sha: SHA("a"), ...repo("team/infra") },
      head: { sha: SHA("b"), ...repo("mallory/infra") },
      labels: [{ name: "gate: override" }, { name: 3 }, null],
      body: "Gate-Reason: the building burns",
    };
    const event = await read("pull_request", { pull_request: pullRequest, sender: { login: "bob" } });
    assert.deepEqual([event.base, event.head, event.isNewBranch, event.actor], [SHA("a"), SHA("b"), false, "bob"]);
    assert.deepEqual(event.pullRequest, {
      number: 7,
      labels: ["gate: override"],
      description: "Gate-Reason: the building burns",
    });
  });

  it("of a push, a merge queue, a new branch and a tag", async () => {
    const push = await read("push", { before: SHA("a"), after: SHA("b") });
    assert.deepEqual([push.base, push.head, push.isNewBranch], [SHA("a"), SHA("b"), false]);
    const fresh = await read("push", { before: SHA("0"), after: SHA("b") });
    assert.deepEqual([fresh.base, fresh.head, fresh.isNewBranch], [null, SHA("b"), true]);
    const main = { ref: "refs/heads/main", repository: { default_branch: "main" } };
    assert.equal((await read("push", { before: SHA("0"), after: SHA("b"), ...main })).isNewBranch, false);
    const gone = await read("push", { before: SHA("a"), after: SHA("0") }, { GITHUB_SHA: SHA("f") });
    assert.equal(gone.head, null);
    const queue = await read("merge_group", { merge_group: { base_sha: SHA("c"), head_sha: SHA("d") } });
    assert.deepEqual([queue.base, queue.head], [SHA("c"), SHA("d")]);
    const tag = await read("push", {}, { GITHUB_REF_TYPE: "tag", GITHUB_REF_NAME: "v1", GITHUB_SHA: SHA("e") });
    assert.deepEqual([tag.base, tag.head, tag.tag], [null, SHA("e"), "v1"]);
  });

  it("that are nonsense tell nothing, and break nothing", async () => {
    for (const payload of [
      "{",
      "[]",
      "null",
      '"x"',
      { pull_request: 3 },
      { pull_request: [], before: "--upload-pack=x" },
    ]) {
      const event = await read("push", payload, { GITHUB_SHA: "HEAD; rm -rf /" });
      assert.deepEqual([event.base, event.head], [null, null]);
    }
    assert.equal((await readEvent({ GITHUB_EVENT_PATH: "/does/not/exist" })).base, null);
    assert.equal(
      (await readEvent({ GITHUB_SERVER_URL: "javascript:x", GITHUB_REPOSITORY: "a", GITHUB_RUN_ID: "1" })).url,
      null,
    );
  });
});

describe("annotations", () => {
  function annotationsOf(report: Partial<JobReport>): Annotation[] {
    const found: Annotation[] = [];
    const runner = { env: { GITHUB_WORKSPACE: "/checkout" }, annotate: (one: Annotation) => found.push(one) };
    const { report: empty } = errorReport(FRAME, new Error("x"));
    annotateProblems(runner as unknown as Runner, { ...empty, problems: [], ...report });
    return found;
  }

  it("stand on the line of the file, when the file is part of the checkout", () => {
    const place = { line: 3, column: 5 };
    const found = annotationsOf({
      problems: [
        problemOf({ code: "A", message: "inside", file: "reprise.yml", ...place }),
        problemOf({ code: "B", message: "absolute", file: "/checkout/sub/x.yml", ...place }),
        problemOf({ code: "C", message: "outside", file: "/etc/passwd", ...place }),
        problemOf({ code: "D", message: "above", file: "../x", ...place }),
      ],
    });
    assert.deepEqual(
      found.map(({ title, file }) => [title, file]),
      [
        ["Reprise: A", "reprise.yml"],
        ["Reprise: B", "sub/x.yml"],
        ["Reprise: D", null],
        ["Reprise: C", null],
      ],
    );
    assert.deepEqual([found[0]?.line, found[0]?.column], [3, 5]);
  });

  it("are no more than GitHub shows, the worst first", () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      problemOf({ code: "X", message: `${i}`, severity: i < 10 ? "notice" : "error" }),
    );
    const found = annotationsOf({ problems: many });
    assert.equal(found.length, 20);
    assert.equal(found[0]?.severity, "error");
    assert.match(found[9]!.message, /11 more/);
  });

  it("come from errors about files, with each of their places", () => {
    const data = {
      file: "reprise.yml",
      problems: [
        { line: 2, column: 1, path: "", message: "one" },
        { line: 9, column: 4, path: "", message: "two" },
      ],
    };
    const { report, errorCode } = errorReport(
      FRAME,
      new RepriseError("usage", "CONFIG_INVALID", "reprise.yml:2:1: one\nmore", { data }),
    );
    assert.equal(errorCode, "CONFIG_INVALID");
    assert.deepEqual(
      report.problems.map(({ line, message }) => [line, message]),
      [
        [2, "one"],
        [9, "two"],
      ],
    );
    assert.equal(report.verdict, "reprise.yml:2:1: one");
  });
});

describe("progress in a log", () => {
  it("is told every quarter of a minute, not more often", () => {
    const lines: string[] = [];
    let now = 0;
    const log = new ProgressLog(
      (line) => lines.push(line),
      () => now,
    );
    for (; now < 60_000; now += 100) {
      log.onProgress({
        operation: "backup",
        phase: "read",
        subject: "root",
        done: now * 1024,
        total: 61_440_000,
        unit: "bytes",
      });
    }
    assert.deepEqual(lines, [
      "backup: read root: 15 MiB (25 %)",
      "backup: read root: 29 MiB (50 %)",
      "backup: read root: 44 MiB (75 %)",
    ]);
  });
});
