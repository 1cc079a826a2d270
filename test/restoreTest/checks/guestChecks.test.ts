import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RepriseError } from "../../../core/errors.js";
import { SerialLog } from "../../../core/hypervisor/serialLog.js";
import type { AgentConnection, CheckContext, ScreenPicture } from "../../../core/restoreTest/checks/check.js";
import { runCheck } from "../../../core/restoreTest/checks/runCheck.js";
import { FORBIDDEN_ON_CONSOLE, forbiddenOnConsole } from "../../../core/restoreTest/checks/serial.js";
import { serialConsoleOf } from "../../../core/restoreTest/checks/serialConsole.js";
import type { CheckSpec } from "../../../core/restoreTest/spec/restoreTestSpec.js";
import { type BodyOf, check, fakeAgent, fakeContext, fakeSerial, pattern } from "./fakeContext.js";

async function outcome(spec: CheckSpec, given: Partial<CheckContext> = {}): Promise<string> {
  const { outcome, reason } = (await runCheck(spec, fakeContext(given))).result;
  return reason === null ? outcome : `${outcome}: ${reason}`;
}

describe("serial checks", () => {
  const serial = (body: Partial<BodyOf<"serial">>) =>
    check("serial", { matches: null, forbidden: null, ...body }, { timeoutMs: 1000 });
  const said = (text: string, dropped = 0) => ({ serial: fakeSerial(text, dropped) });

  it("want one text and refuse another", async () => {
    assert.equal(await outcome(serial({ matches: pattern(/READY/) }), said("boot\nREADY\n")), "passed");
    assert.match(await outcome(serial({ matches: pattern(/READY/) }), said("boot\n")), /^failed: nothing matches/);
    assert.match(await outcome(serial({ forbidden: pattern(/panic/) }), said("Kernel panic\n")), /^failed: forbidden/);
    assert.equal(await outcome(serial({ forbidden: pattern(/panic/) }), said("fine\n")), "passed");
  });

  it("cannot tell about a silent line, a lost beginning, or no machine", async () => {
    assert.match(await outcome(serial({ forbidden: pattern(/panic/) }), said("")), /^inconclusive/);
    assert.match(
      await outcome(serial({ forbidden: pattern(/panic/) }), said("fine\n", 9)),
      /^inconclusive: some 9 bytes/,
    );
    assert.equal(await outcome(serial({ matches: pattern(/fine/) }), said("fine\n", 9)), "passed");
    assert.match(await outcome(serial({ matches: pattern(/READY/) })), /^inconclusive/);
  });

  it("see the real log without escapes, its unfinished line, and what it has dropped", async () => {
    const log = new SerialLog();
    log.feed(Buffer.from("\u001b[31mred\u001b[0m text\r\ntiny login: "));
    const console = serialConsoleOf(log);
    assert.equal(console.text(), "red text\ntiny login: ");
    assert.equal(console.droppedBytes, 0);
    assert.equal(await outcome(serial({ matches: pattern(/^tiny login:/) }), { serial: console }), "passed");
    const later = runCheck(
      check("serial", { matches: pattern(/later/), forbidden: null }),
      fakeContext({ serial: console }),
    );
    log.feed(Buffer.from("\nlater\n"));
    assert.equal((await later).result.outcome, "passed");
    for (let i = 0; i < 7; i++) log.feed(Buffer.alloc(1 << 20, "x"));
    assert.ok(console.droppedBytes > 1 << 20);
  });

  it("know what a start that has gone wrong says", () => {
    const bad = [
      "[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
      "You are in emergency mode. After logging in, type ...",
      "ALERT!  UUID=1234 does not exist.  Dropping to a shell!",
      "(initramfs) ",
      "grub rescue> ",
      "No bootable device.",
    ];
    for (const text of bad) assert.notEqual(forbiddenOnConsole(text), null, text);
    assert.equal(forbiddenOnConsole("[ OK ] Reached target multi-user.target\ntiny login: "), null);
    assert.ok(FORBIDDEN_ON_CONSOLE.every(({ global, sticky }) => !global && !sticky));
  });
});

describe("checks through the agent", () => {
  const answer = (result: Partial<Awaited<ReturnType<AgentConnection["exec"]>>>) => ({
    agent: fakeAgent({ exec: async () => ({ exitCode: 0, stdout: "", stderr: "", truncated: false, ...result }) }),
  });
  const silentAgent = {
    agent: fakeAgent({
      ping: async () => {
        throw new RepriseError("backend", "GUEST_AGENT_SILENT", "no answer in time");
      },
    }),
  };
  const command = (body: Partial<BodyOf<"command">> = {}, frame: Partial<CheckSpec> = {}) =>
    check("command", { run: ["/bin/true"], exitCode: 0, matches: null, forbidden: null, ...body }, frame);

  it("want an answer, of the right system", async () => {
    assert.equal(await outcome(check("agent", { osId: pattern(/^debian$/) }), { agent: fakeAgent() }), "passed");
    assert.match(
      await outcome(check("agent", { osId: pattern(/^ubuntu$/) }), { agent: fakeAgent() }),
      /^failed: .*another/,
    );
    const brief = { timeoutMs: 100 };
    assert.match(await outcome(check("agent", { osId: null }, brief), silentAgent), /^failed: .*not answer/);
    assert.match(await outcome(check("agent", { osId: null })), /^inconclusive/);
    const old = { agent: fakeAgent({ osInfo: () => Promise.reject(new Error("command not found")) }) };
    assert.match(await outcome(check("agent", { osId: pattern(/debian/) }), old), /^inconclusive/);
  });

  it("compare how a command ended", async () => {
    assert.equal(await outcome(command(), answer({})), "passed");
    assert.equal(
      await outcome(command({ exitCode: 3, matches: pattern(/oo/) }), answer({ exitCode: 3, stdout: "foo" })),
      "passed",
    );
    assert.match(await outcome(command(), answer({ exitCode: 1 })), /^failed/);
    assert.match(await outcome(command(), answer({ exitCode: null })), /^failed/);
    assert.match(
      await outcome(command({ matches: pattern(/bar/) }), answer({ stdout: "foo" })),
      /^failed: nothing matches/,
    );
    assert.match(
      await outcome(command({ forbidden: pattern(/foo/) }), answer({ stderr: "foo" })),
      /^failed: .*must not/,
    );
    const cut = { stdout: "foo", truncated: true };
    assert.match(await outcome(command({ forbidden: pattern(/bar/) }), answer(cut)), /^inconclusive/);
    assert.equal(await outcome(command({ matches: pattern(/foo/) }), answer(cut)), "passed");
  });

  it("cannot tell without an agent, and fail when a program does not end", async () => {
    assert.match(await outcome(command()), /^inconclusive/);
    assert.match(await outcome(command({}, { timeoutMs: 200 }), silentAgent), /^inconclusive: .*does not answer/);
    const missing = { agent: fakeAgent({ exec: () => Promise.reject(new Error("no such file")) }) };
    assert.match(await outcome(command(), missing), /^inconclusive: .*could not be run/);
    const late = new RepriseError("backend", "GUEST_AGENT_SILENT", "not ended", { data: { pid: 12 } });
    assert.match(
      await outcome(command(), { agent: fakeAgent({ exec: () => Promise.reject(late) }) }),
      /^failed: .*end/,
    );
    const hanging = { agent: fakeAgent({ exec: () => new Promise(() => {}) }) };
    const { result } = await runCheck(command({}, { timeoutMs: 50 }), fakeContext(hanging));
    assert.equal(result.outcome, "failed");
  }).timeout(10_000);

  it("ask databases with argument lists, as the database's user", async () => {
    const asked: (readonly string[])[] = [];
    const agent = fakeAgent({
      exec: async (argv) => {
        asked.push(argv);
        return { exitCode: 0, stdout: "50000\n", stderr: "", truncated: false };
      },
    });
    const query = "select 'a; $(rm -rf /) `x`' ; -- \"";
    const sql = (body: Partial<BodyOf<"sql">>) =>
      check("sql", { client: "psql", database: "shop", user: "postgres", query, equals: null, matches: null, ...body });
    assert.equal(await outcome(sql({ equals: "50000" }), { agent }), "passed");
    assert.deepEqual(asked[0]?.slice(0, 4), ["runuser", "--user=postgres", "--", "psql"]);
    assert.equal(asked[0]?.at(-1), `--command=${query}`);
    assert.match(await outcome(sql({ equals: "5000" }), { agent }), /^failed: the answer is another/);
    assert.match(await outcome(sql({ matches: pattern(/^\D+$/) }), { agent }), /^failed: the answer does not match/);
    await outcome(sql({ client: "mysql", user: "--help", database: "-x" }), { agent });
    assert.deepEqual(asked.at(-1)?.slice(-3), ["--user=--help", "--database=-x", `--execute=${query}`]);
    const refused = answer({ exitCode: 2, stderr: "could not connect" });
    assert.match(await outcome(sql({ equals: "" }), refused), /^failed: the query failed/);
    const absent = answer({ exitCode: 127, stderr: "runuser: failed to execute psql" });
    assert.match(await outcome(sql({}), absent), /^inconclusive: psql could not be run/);
    assert.match(await outcome(sql({})), /^inconclusive/);
  });

  it("ask PostgreSQL as the agent's user where the system does not know the database's", async () => {
    const agent = fakeAgent({
      exec: async ([program]) =>
        program === "runuser"
          ? { exitCode: 1, stdout: "", stderr: "runuser: user app does not exist or ...", truncated: false }
          : { exitCode: 0, stdout: "1\n", stderr: "", truncated: false },
    });
    const sql = { client: "psql", database: "d", user: "app", query: "select 1", equals: "1", matches: null } as const;
    assert.equal(await outcome(check("sql", sql), { agent }), "passed");
  });
});

describe("screenshot checks", () => {
  const picture = (fill: (pixels: Uint8Array) => void): ScreenPicture => {
    const rgb = new Uint8Array(160 * 100 * 3);
    fill(rgb);
    return { width: 160, height: 100, rgb, png: Uint8Array.of(1, 2, 3) };
  };
  const shot = check("screenshot", { stableMs: 100 }, { timeoutMs: 60_000 });
  const briefly = check("screenshot", { stableMs: 100 }, { timeoutMs: 2000 });
  const text = (rgb: Uint8Array) => rgb.fill(200, 3000, 6000);

  it("keep a picture that is at rest, a blinking cursor and all", async () => {
    let blink = 0;
    const screenshot = async () => picture((rgb) => text(rgb).fill(blink++ % 2 === 0 ? 255 : 0, 9000, 9300));
    const { result, artifacts } = await runCheck(shot, fakeContext({ screenshot }));
    assert.equal(result.outcome, "passed");
    assert.deepEqual(result.artifacts, ["my-screenshot.png"]);
    assert.deepEqual(artifacts[0]?.bytes, Uint8Array.of(1, 2, 3));
  });

  it("fail on a blank screen, with the picture, and on one that moves", async () => {
    const cursor = async () => picture((rgb) => rgb.fill(255, 9000, 9300));
    const { result, artifacts } = await runCheck(briefly, fakeContext({ screenshot: cursor }));
    assert.equal(`${result.outcome}: ${result.reason}`, "failed: the screen is blank");
    assert.equal(artifacts.length, 1);
    const moving = async () => picture((rgb) => rgb.set(randomBytes(rgb.length)));
    assert.match(await outcome(briefly, { screenshot: moving }), /^failed: .*rest/);
    assert.match(await outcome(shot), /^inconclusive/);
    const hanging = () => new Promise<ScreenPicture>(() => {});
    assert.notEqual((await runCheck(briefly, fakeContext({ screenshot: hanging }))).result.outcome, "passed");
  }).timeout(10_000);
});

describe("running a check", () => {
  it("tries again, as often as it may, and says how often it did", async () => {
    let calls = 0;
    const exec = async () => ({ exitCode: ++calls < 3 ? 1 : 0, stdout: "", stderr: "", truncated: false });
    const body = { run: ["/bin/x"], exitCode: 0, matches: null, forbidden: null };
    const context = fakeContext({ agent: fakeAgent({ exec }) });
    const { result } = await runCheck(check("command", body, { retries: 5 }), context);
    assert.equal(`${result.outcome} ${result.attempts}`, "passed 3");
    calls = -10;
    const given = await runCheck(check("command", body, { retries: 1 }), context);
    assert.equal(`${given.result.outcome} ${given.result.attempts}`, "failed 2");
  });

  it("bounds what was seen and makes it visible", async () => {
    const hostile = `\u001b[2J\u0007::set-output name=x::y\r\n\u202e${"A".repeat(5_000_000)}end`;
    const agent = fakeAgent({ exec: async () => ({ exitCode: 1, stdout: hostile, stderr: "", truncated: false }) });
    const body = { run: ["/bin/x"], exitCode: 0, matches: null, forbidden: null };
    const { result } = await runCheck(check("command", body), fakeContext({ agent }));
    assert.ok(Buffer.byteLength(result.observed) <= 2048);
    assert.match(result.observed, /\\x1b\[2J\\x07/);
    assert.match(result.observed, /end$/);
    assert.doesNotMatch(result.observed.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  });

  it("gives each severity its outcome", async () => {
    const agent = fakeAgent({ exec: async () => ({ exitCode: 1, stdout: "", stderr: "", truncated: false }) });
    const body = { run: ["/bin/x"], exitCode: 0, matches: null, forbidden: null };
    for (const [severity, expected] of [
      ["fail", "failed"],
      ["warn", "warned"],
      ["info", "warned"],
    ] as const) {
      const { result } = await runCheck(check("command", body, { severity }), fakeContext({ agent }));
      assert.equal(result.outcome, expected);
    }
  });

  it("is inconclusive when the whole test takes too long, and throws when somebody ends it", async () => {
    const agent = fakeAgent({ exec: () => new Promise(() => {}) });
    const body = { run: ["/bin/x"], exitCode: 0, matches: null, forbidden: null };
    const spec = check("command", body, { timeoutMs: 60_000, retries: 9 });
    const { result } = await runCheck(spec, fakeContext({ agent, signal: AbortSignal.timeout(50) }));
    assert.equal(result.outcome, "inconclusive");
    const ending = new AbortController();
    const running = runCheck(spec, fakeContext({ agent, signal: ending.signal }));
    await sleep(20);
    ending.abort();
    await assert.rejects(running, { name: "AbortError" });
  }).timeout(10_000);
});
