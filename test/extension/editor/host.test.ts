import assert from "node:assert/strict";
import Mocha from "mocha";
import { needsEditor } from "../support/editorServer.js";
import { runHostTests } from "../support/hostTests.js";
import { makeSampleRepository, type SampleRepository } from "../support/sampleRepository.js";

describe("inside the extension host", function () {
  let sample: SampleRepository | undefined;
  let count = 0;
  const suite = this;

  before(async function () {
    needsEditor(this);
    sample = await makeSampleRepository();
    const results = await runHostTests(sample);
    count = results.length;
    // what ran there is counted here, each by its name
    for (const { title, problem } of results)
      suite.addTest(new Mocha.Test(title, () => void assert.equal(problem, undefined)));
  });
  after(() => sample?.remove());

  it("tests ran", () => assert.ok(count > 0));
});
