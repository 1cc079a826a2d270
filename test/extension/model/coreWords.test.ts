import assert from "node:assert/strict";
import { describeSchedule, parseSchedule } from "../../../core/index.js";
import { reasonText, scheduleText } from "../../../extension/model/coreWords.js";

const t = (text: string, ...values: (string | number)[]) =>
  `‹${text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)]))}›`;
const french = { locale: "fr", t };

describe("sentences of the core", () => {
  it("say in the editor's language why a machine needs attention", () => {
    const reason = "a backup by the job nightly is due since 2026-11-20 02:00:00 UTC; its newest snapshot is damaged";
    assert.match(
      reasonText(reason, french),
      /^‹a backup by the job nightly is due since .*2026.*›; ‹its newest snapshot is damaged›$/,
    );
    assert.equal(
      reasonText("its last restore test failed: no; really", french),
      "‹its last restore test failed: no›; really",
    );
    assert.equal(reasonText("what nobody has foreseen", french), "what nobody has foreseen");
  });

  it("say when a schedule runs, or leave it as it is written", () => {
    const said = (text: string) => scheduleText({ text, words: describeSchedule(parseSchedule(text)) }, french);
    assert.equal(said("mon..fri 02:30"), "‹lundi to vendredi at 02:30›");
    assert.equal(said("*-*-* 02:30"), "‹every day at 02:30›");
    assert.equal(said("*:0/15"), "‹every 15 minutes›");
    assert.equal(said("*-*-01 03:00"), "*-*-01 03:00");
    const english = scheduleText({ text: "x", words: "on day 1 at 03:00" }, { ...french, locale: "en-GB" });
    assert.equal(english, "on day 1 at 03:00");
  });
});
