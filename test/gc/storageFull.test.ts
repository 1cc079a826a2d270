import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { makeDamageSample } from "../support/damageSample.js";
import { FaultyBackend } from "../support/faultyBackend.js";

describe("gc without space", () => {
  it("says so at whatever step it happens, loses nothing, and goes on when there is space", async function () {
    this.timeout(60_000);
    const sample = await makeDamageSample();
    const [, , lastOne] = sample.manifests;
    await sample.test.forget(lastOne!.sid);
    let succeeded = false;
    for (let nth = 1; !succeeded; nth++) {
      const full = new FaultyBackend(sample.test.backend).fullFromPut(nth);
      const test = await sample.test.reopen({ backend: full });
      try {
        await test.gc();
        succeeded = true;
      } catch (error) {
        assert.ok(isOurError(error, "STORAGE_FULL"), `put ${nth}: ${String(error)}`);
      }
      for (const manifest of sample.manifests.slice(0, 2)) {
        assert.deepEqual(
          await sample.test.restore(manifest, "root"),
          sample.disks.get(`${manifest.sid}/root`),
          `put ${nth}`,
        );
      }
    }
    await sample.test.gc();
    assert.equal((await sample.test.verify()).ok, true);
  });
});
