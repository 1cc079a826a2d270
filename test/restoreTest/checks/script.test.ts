import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckContext } from "../../../core/restoreTest/checks/check.js";
import { runCheck } from "../../../core/restoreTest/checks/runCheck.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { check, fakeContext } from "./fakeContext.js";

describe("script checks", function () {
  this.timeout(20_000);
  let folder: TemporaryFolder;
  const run = async (line: string, frame: object = {}, given: Partial<CheckContext> = {}) => {
    const spec = check("script", { run: ["/bin/sh", "-c", line] }, { timeoutMs: 60_000, ...frame });
    const ports = { guestPorts: [80, 443], hostPort: (port: number) => (port === 80 ? 40_123 : null) };
    return (await runCheck(spec, fakeContext({ runFolder: folder.path, ...ports, ...given }))).result;
  };

  before(async () => {
    folder = await makeTemporaryFolder("script");
  });
  after(() => folder.remove());

  it("take 0 for held, 1 for failed and everything else for not known", async () => {
    assert.equal((await run("echo fine")).outcome, "passed");
    assert.equal((await run("exit 1")).outcome, "failed");
    for (const line of ["exit 2", "exit 127", "kill -9 $$"])
      assert.equal((await run(line)).outcome, "inconclusive", line);
    const spec = check("script", { run: ["/nonexistent/program"] });
    const { result } = await runCheck(spec, fakeContext({ runFolder: folder.path }));
    assert.equal(result.outcome, "inconclusive");
    assert.match((await run("echo seen; echo too >&2; exit 1")).observed, /exit 1\nseen\ntoo/);
  });

  it("are told what they need, and no secret", async () => {
    process.env.REPRISE_SIGNING_KEY = "s3cret-value";
    process.env.AWS_SECRET_ACCESS_KEY = "s3cret-value";
    try {
      const { observed } = await run("env");
      assert.doesNotMatch(observed, /s3cret/);
      assert.match(observed, /^REPRISE_TEST_MACHINE=prod\/vm\/web1$/m);
      assert.match(observed, /^REPRISE_TEST_PORT_80=40123$/m);
      assert.doesNotMatch(observed, /PORT_443/);
      const names = observed.split("\n").flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? []);
      const known = ["PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "PWD", "SHLVL", "_", "OLDPWD"];
      assert.deepEqual(
        names.filter((name) => !known.includes(name) && !name.startsWith("REPRISE_TEST_")),
        [],
      );
    } finally {
      delete process.env.REPRISE_SIGNING_KEY;
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  });

  it("are killed with all they have started, and leave nothing", async () => {
    const { outcome, reason, observed } = await run("sleep 321 & echo $!; sleep 321", { timeoutMs: 300 });
    assert.equal(outcome, "inconclusive");
    assert.match(reason ?? "", /killed/);
    await assertGone(Number(observed.trim().split("\n")[0]));
    const left = await run("sleep 322 & echo $!");
    assert.equal(left.outcome, "passed");
    await assertGone(Number(left.observed.split("\n")[1]));
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("cannot fill the memory", async () => {
    const { outcome, observed } = await run("head -c 30000000 /dev/zero | tr '\\0' x");
    assert.equal(outcome, "passed");
    assert.ok(observed.length <= 2048);
  });
});

/** Ended, also where nobody has asked yet how. */
async function assertGone(pid: number): Promise<void> {
  assert.ok(pid > 1);
  for (let tries = 0; tries < 1500; tries++) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
    if (stat === null || /\) Z /.test(stat)) return;
    await sleep(20);
  }
  assert.fail(`process ${pid} is still there`);
}
