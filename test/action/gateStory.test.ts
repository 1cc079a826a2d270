// From nothing to a required check: a repository with code and a configuration, a nightly backup, a restore test that boots the
// guest, the evidence branch, and pull requests that pass the gate or do not, with and without secrets.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copyTinyGuest } from "../fixtures/guests.js";
import { LONG_BOOT, TINY_HARDWARE } from "../support/machineTests.js";
import { ActionStory, assertClean, CANARY } from "./actionStory.js";
import { type EndedAction, runAction } from "./runAction.js";

const ZEROS = "0".repeat(40);
const HOUR_MS = 3_600_000;

/** A process whose clock is ahead by as much as CLOCK_AHEAD_MS says. */
const CLOCK = `data:text/javascript,${encodeURIComponent(`
  const Real = Date;
  const ahead = Number(process.env.CLOCK_AHEAD_MS);
  globalThis.Date = class extends Real {
    constructor(...parts) {
      if (parts.length === 0) super(Real.now() + ahead);
      else super(...parts);
    }
    static now() {
      return Real.now() + ahead;
    }
  };
`)}`;

function later(hours: number): { env: Record<string, string> } {
  return { env: { NODE_OPTIONS: `--import ${CLOCK}`, CLOCK_AHEAD_MS: String(hours * HOUR_MS) } };
}

describe("from nothing to a required check", function () {
  this.timeout(400_000);
  let story: ActionStory;
  let origin: string;
  let signed: { env: Record<string, string> };
  let disk: string;

  before(async () => {
    story = await ActionStory.begin("gate");
    origin = story.path("origin.git");
    disk = story.path("disks", "db1.raw");
    await copyTinyGuest(disk);
    execFileSync("git", ["init", "-q", "--bare", "-b", "main", origin]);
    git("init", "-q", "-b", "main");
    git("config", "user.email", "dev@example.invalid");
    git("config", "user.name", "dev");
    git("remote", "add", "origin", origin);
    const key = story.path("signing.pem");
    const { publicKey } = await story.cli<{ publicKey: string }>("key", "signing", "generate", "--out", key);
    signed = { env: { REPRISE_SIGNING_KEY: await readFile(key, "utf8") } };
    await mkdir(join(story.workspace, "keys"));
    await mkdir(join(story.workspace, "db"));
    await story.file("keys/evidence.pub", publicKey);
    await story.file("reprise.yml", await configuration());
    await story.file("db/schema.sql", "create table a (b int);\n");
    commitAll("the beginning");
    git("push", "-q", "origin", "main");
  });
  after(() => story.end());

  function git(...args: string[]): string {
    return execFileSync("git", args, {
      cwd: story.workspace,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  function commitAll(message: string): string {
    git("add", "-A");
    git("commit", "-q", "-m", message);
    return git("rev-parse", "HEAD");
  }

  async function configuration(): Promise<object> {
    const rule = { machines: "vm/db1", level: "boots", proof: "newest" };
    return {
      repositories: { main: { location: await story.repository("main") } },
      machines: { "vm/db1": { owner: "team-data", criticality: "high", disks: { path: disk, name: "root" } } },
      jobs: {
        nightly: { backup: "all", schedule: "daily" },
        proof: { "restore-test": "all", schedule: "monthly" },
      },
      "restore-tests": [
        {
          ...{ name: "db1", machine: "vm/db1", level: "boots", hardware: TINY_HARDWARE, timeouts: LONG_BOOT },
          ...{ ready: { serial: "FIXTURE-READY" }, objectives: { rto: "1h" } },
          checks: ["screenshot"],
        },
      ],
      gates: {
        production: {
          keys: "keys/evidence.pub",
          rules: [{ paths: ["db/"], ...rule }],
          override: { label: "gate: override", "reason-prefix": "Why" },
        },
      },
      evidence: { remote: "origin" },
    };
  }

  /** A branch off main with a change of one file; answers what its pull request would say. */
  async function pullRequest(name: string, file: string, more: { labels?: string[]; body?: string } = {}) {
    git("checkout", "-q", "-b", name, "main");
    await appendFile(join(story.workspace, file), `-- ${name}\n`);
    const head = commitAll(name);
    git("push", "-q", "origin", name);
    git("checkout", "-q", "main");
    return {
      name: "pull_request",
      payload: {
        pull_request: {
          number: 1,
          base: { sha: git("rev-parse", "main"), repo: { full_name: "team/infra" } },
          head: { sha: head, repo: { full_name: "team/infra" } },
          labels: (more.labels ?? []).map((label) => ({ name: label })),
          body: more.body ?? "",
        },
        repository: { default_branch: "main" },
        sender: { login: "bob" },
      },
    };
  }

  async function gate(
    event: { name: string; payload: unknown },
    inputs: Record<string, string> = {},
    more: { env?: Record<string, string> } = {},
  ): Promise<EndedAction> {
    return await story.run({ command: "gate", gate: "production", ...inputs }, { event, ...more });
  }

  function assertDecision(ended: EndedAction, decision: string, reason: RegExp): void {
    assert.equal(ended.outputs["gate-decision"], decision, ended.printed);
    assert.match(ended.outputs["gate-reason"] as string, reason);
    assert.equal(ended.code, decision === "blocked" ? 1 : 0);
    assert.match(ended.summary, /gate/i);
  }

  it("is shut as long as there is no evidence at all", async () => {
    assertDecision(await gate(await pullRequest("early", "db/schema.sql")), "blocked", /no branch reprise-evidence/);
  });

  it("lets changes pass that touch no machine, without asking for evidence", async () => {
    assertDecision(await gate(await pullRequest("docs", "README.md")), "not-needed", /./);
  });

  it("backs up at night, and says on the branch what there is", async () => {
    const ended = await story.passes({ command: "run", job: "nightly" }, signed);
    assert.match(ended.outputs["evidence-commit"] as string, /^[0-9a-f]{40}$/);
    assert.ok((await readFile(ended.outputs["attestation-path"] as string, "utf8")).includes("payloadType"));
    assertDecision(
      await gate(await pullRequest("untested", "db/schema.sql")),
      "blocked",
      /vm\/db1.*(untested|not been tested|no restore test)/i,
    );
  });

  it("boots the guest from its backup, and publishes the proof", async () => {
    const ended = await story.passes({ command: "restore-test" }, signed);
    const { outputs } = ended;
    assert.deepEqual([outputs["rto-met"], outputs["proven-level"]], ["true", "boots"]);
    assert.ok(Number(outputs["rto-seconds"]) > 0);
    assert.match(outputs["snapshot-id"] as string, /^[0-9a-f]{32}$/);
    assert.match(outputs["evidence-commit"] as string, /^[0-9a-f]{40}$/);
    assert.ok(!ended.printed.includes((signed.env.REPRISE_SIGNING_KEY as string).split("\n")[1] as string));
    assert.match(await readFile(outputs["report-html"] as string, "utf8"), /data:image\/png/);
    assert.match(ended.summary, /boots/);
  });

  it("lets a change of the database pass, for people and for forks without secrets alike", async () => {
    const event = await pullRequest("migrate", "db/schema.sql");
    const ended = await gate(event);
    assertDecision(ended, "go", /vm\/db1/);
    const statement = await readFile(ended.outputs["attestation-path"] as string, "utf8");
    assert.ok(statement.includes("vm/db1"), "what it relied on");
    const checkout = story.path("fork", "checkout");
    await mkdir(story.path("fork"));
    execFileSync("git", ["clone", "-q", "--depth", "1", "--branch", "migrate", `file://${origin}`, checkout]);
    const fork = await runAction({ workspace: checkout, inputs: { command: "gate", gate: "production" }, event });
    assertDecision(fork, "go", /vm\/db1/);
    assert.equal(fork.outputs["gate-reason"], ended.outputs["gate-reason"]);
    await assertClean(fork);
  });

  it("understands pushes, merge queues, new branches and what is given by hand", async () => {
    const base = git("rev-parse", "main");
    const head = git("rev-parse", "migrate");
    const repository = { default_branch: "main" };
    assertDecision(await gate({ name: "push", payload: { before: base, after: head, repository } }), "go", /vm\/db1/);
    assertDecision(await gate({ name: "push", payload: { before: ZEROS, after: head, repository } }), "go", /vm\/db1/);
    const merge_group = { base_sha: base, head_sha: head };
    assertDecision(await gate({ name: "merge_group", payload: { merge_group } }), "go", /vm\/db1/);
    assertDecision(await gate({ name: "schedule", payload: {} }, { base: "main", head: "docs" }), "not-needed", /./);
    const nothing = await gate({ name: "schedule", payload: {} });
    assert.deepEqual([nothing.outputs["gate-decision"], nothing.outputs["error-code"]], ["blocked", "CHANGES_UNKNOWN"]);
    const unknown = await gate({ name: "push", payload: { before: "1".repeat(40), after: "2".repeat(40) } });
    assert.deepEqual([unknown.code, unknown.outputs["gate-decision"]], [1, "blocked"]);
  });

  it("cannot be talked over by the change itself", async () => {
    git("checkout", "-q", "-b", "cunning", "main");
    await story.file("reprise.yml", { gates: { production: { rules: [{ paths: "**", machines: [] }] } } });
    await appendFile(join(story.workspace, "db/schema.sql"), "drop table a;\n");
    const head = commitAll("weaker");
    git("checkout", "-q", "main");
    const base = git("rev-parse", "main");
    const payload = { pull_request: { base: { sha: base }, head: { sha: head } } };
    const event = { name: "pull_request", payload };
    assertDecision(await gate(event), "go", /vm\/db1/);
    const ended = await gate(event, {}, later(27));
    assertDecision(ended, "blocked", /backup.*old/);
    assert.equal(ended.annotations[0]?.file, "reprise.yml");
  });

  it("shuts when time goes by, for machines that nobody backs up or tests any more", async () => {
    const event = await pullRequest("late", "db/schema.sql");
    assertDecision(await gate(event, {}, later(25)), "go", /vm\/db1/);
    const blocked = await gate(event, {}, later(27));
    assertDecision(blocked, "blocked", /backup.*old/);
    assert.match(blocked.annotations[0]?.message ?? "", /vm\/db1/);
    assertDecision(await gate(event, {}, later(33 * 24)), "blocked", /test ended .* ago/);
    assertDecision(await gate(event, {}, later(-1)), "blocked", /clock|future|to come/);
    const shown = await gate(event, { "fail-on": "never" }, later(27));
    assert.deepEqual([shown.code, shown.outputs["gate-decision"]], [0, "blocked"]);
  });

  it("reads names that look like commands, and ten thousand files", async () => {
    const name = "db/a b\n::error::pwned\n##[error]pwned%0A.sql";
    const hostile = await gate(await pullRequest("hostile", name), {}, later(27));
    assertDecision(hostile, "blocked", /backup.*old/);
    for (const { message } of hostile.annotations) assert.ok(!message.startsWith("pwned"));
    git("checkout", "-q", "-b", "many", "main");
    await mkdir(join(story.workspace, "many"));
    for (let i = 0; i < 10_000; i++) await writeFile(join(story.workspace, "many", `${i}`), "");
    const base = git("rev-parse", "main");
    const head = commitAll("many");
    git("checkout", "-q", "main");
    const payload = { pull_request: { base: { sha: base }, head: { sha: head } } };
    assertDecision(await gate({ name: "pull_request", payload }), "not-needed", /./);
  });

  it("shuts when history is missing and cannot be fetched", async () => {
    const event = await pullRequest("shallow", "db/schema.sql");
    const checkout = story.path("shallow", "checkout");
    await mkdir(story.path("shallow"));
    execFileSync("git", ["clone", "-q", "--depth", "1", "--branch", "shallow", `file://${origin}`, checkout]);
    execFileSync("git", ["remote", "set-url", "origin", story.path("gone.git")], { cwd: checkout });
    const ended = await runAction({ workspace: checkout, inputs: { command: "gate", gate: "production" }, event });
    assert.deepEqual([ended.code, ended.outputs["gate-decision"]], [1, "blocked"]);
    assert.match(ended.outputs["gate-reason"] as string, /commit|fetch/);
  });

  it("shuts when the newest snapshot is untested", async () => {
    await appendFile(disk, Buffer.alloc(512, 7));
    await story.passes({ command: "backup" }, signed);
    assertDecision(await gate(await pullRequest("newer", "db/schema.sql")), "blocked", /newest/i);
    const labels = ["gate: override"];
    const asked = await pullRequest("urgent", "db/schema.sql", { labels, body: "Hello\nWhy: the house burns\n" });
    const overridden = await gate(asked);
    assertDecision(overridden, "overridden", /./);
    assert.match(overridden.summary, /the house burns/);
    assertDecision(await gate(await pullRequest("mute", "db/schema.sql", { labels })), "blocked", /./);
  });

  it("shuts when somebody has altered the branch", async () => {
    const clone = story.path("mallory");
    const inClone = (...args: string[]) => execFileSync("git", args, { cwd: clone, encoding: "utf8" }).trim();
    execFileSync("git", ["clone", "-q", "--branch", "reprise-evidence", origin, clone]);
    const [file] = inClone("ls-files", "statements").split("\n");
    const path = join(clone, file as string);
    await writeFile(path, (await readFile(path, "utf8")).replace(/payload":"./, 'payload":"Z'));
    inClone("-c", "user.name=m", "-c", "user.email=m@x", "commit", "-q", "-a", "-m", "nothing to see here");
    inClone("push", "-q", "origin", "reprise-evidence");
    assertDecision(await gate(await pullRequest("forged", "db/schema.sql")), "blocked", /statements\//);
    const publishing = await story.run({ command: "backup", "publish-evidence": "true" }, signed);
    assert.deepEqual([publishing.code, publishing.outputs["error-code"]], [1, "EVIDENCE_NOT_PUBLISHED"]);
  });

  it("refuses a gate that there is not, and a policy that is not there", async () => {
    const event = await pullRequest("wrong", "db/schema.sql");
    const none = await gate(event, { gate: "produktion" });
    assert.deepEqual(
      [none.code, none.outputs["gate-decision"], none.outputs["error-code"]],
      [1, "blocked", "GATE_UNKNOWN"],
    );
    const lost = await gate(event, { config: "other.yml" });
    assert.deepEqual([lost.outputs["gate-decision"], lost.outputs["error-code"]], ["blocked", "GATE_POLICY_MISSING"]);
  });

  it("has left no secret on any branch", () => {
    git("fetch", "-q", "origin", "reprise-evidence");
    const everything = git("log", "-p", "--format=%an %ae %s %b", "FETCH_HEAD", "main");
    const [, keyBody] = (signed.env.REPRISE_SIGNING_KEY as string).split("\n");
    for (const secret of [CANARY, keyBody as string]) assert.ok(!everything.includes(secret));
    assert.ok(everything.includes("payloadType"));
  });
});
