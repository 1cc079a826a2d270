import assert from "node:assert/strict";
import { html, Markup } from "../../../core/report/markup.js";
import { niceStep } from "../../../extension/model/timeChart.js";
import { overviewContent } from "../../../extension/overview/overviewContent.js";
import { webviewPage } from "../../../extension/overview/webviewPage.js";
import type { OverviewData } from "../../../extension/service/overviewProtocol.js";
import { overviewSample } from "./overviewSample.js";

const t = (text: string, ...values: (string | number)[]) =>
  text.replaceAll(/\{(\d)\}/g, (_, i) => String(values[Number(i)]));
const contentOf = (data: OverviewData) => overviewContent(data, { t, locale: "en", timeZone: "UTC" }).source;
const HOSTILE = '</td><script>alert(1)</script>" onload="x" \u202e';

describe("the overview's page", () => {
  it("shows machines, capacity, forecast, change, recovery and jobs", () => {
    const content = contentOf(overviewSample());
    for (const id of ["machines", "capacity", "anomalies", "recovery", "jobs"])
      assert.match(content, new RegExp(`aria-labelledby="${id}"><h2 id="${id}"`));
    assert.match(content, /Backups add [\d.]+ MiB a day, give or take/);
    assert.match(content, /the mean of what backups added each day/);
    assert.equal(Array.from(content.matchAll(/<svg viewBox="0 0 520/g)).length, 4);
  });

  it("gives every picture a name and a table of the same numbers", () => {
    const content = contentOf(overviewSample());
    const pictures = Array.from(content.matchAll(/<svg viewBox="0 0 520[^>]*>/g), ([tag]) => tag);
    for (const tag of pictures) {
      const [, first = "", second = ""] = /role="img" aria-labelledby="(\S+) (\S+)"/.exec(tag) ?? [];
      for (const id of [first, second]) assert.ok(content.includes(`id="${id}">`), id);
    }
    assert.equal(Array.from(content.matchAll(/<details><summary>Show as a table/g)).length, pictures.length);
    const ids = Array.from(content.matchAll(/ id="([^"]+)"/g), ([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(!/NaN|Infinity|undefined/.test(content));
  });

  it("says what there is not", () => {
    const empty = { ...overviewSample(), backups: [], machines: [], jobs: [], recovery: [] };
    const content = contentOf(empty);
    assert.match(content, /There is no snapshot yet/);
    assert.match(content, /No forecast: 0 whole days with 0 later backups/);
    assert.match(content, /None was found/);
    assert.match(content, /No restore test has measured it/);
    assert.ok(!content.includes("<svg viewBox"));
    assert.match(contentOf({ ...empty, unreadable: 2 }), /role="alert">2 snapshots cannot be read/);
  });

  it("lets no text of a repository become markup", () => {
    const data = overviewSample();
    const content = contentOf({
      ...data,
      machines: data.machines.map((each) => ({ ...each, machine: HOSTILE })),
      backups: data.backups.map((each) => ({ ...each, machine: HOSTILE })),
      jobs: data.jobs.map((each) => ({ ...each, job: HOSTILE, host: HOSTILE, outcome: HOSTILE })),
      recovery: data.recovery.map((each) => ({ ...each, machine: HOSTILE })),
    });
    assert.ok(!content.includes("<script") && !content.includes('" onload') && !content.includes("\u202e"));
    assert.equal(html`<b title="${HOSTILE}">${HOSTILE}</b>`.source.includes("<script"), false);
  });

  it("runs our script only, and asks no network for anything", () => {
    const page = webviewPage({
      ...{ locale: "en", title: "Overview", subtitle: "/srv/backups", nonce: "abc", content: Markup.empty },
      resources: { source: "vscode-webview:", style: "s.css", script: "s.js" },
      buttons: [{ action: "refresh", label: "Refresh" }],
      words: { skip: "Skip", actions: "Actions" },
    });
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? "";
    assert.match(policy, /^default-src &#39;none&#39;; style-src vscode-webview:; script-src &#39;nonce-abc&#39;;/);
    assert.ok(!policy.includes("unsafe"));
    assert.equal(Array.from(page.matchAll(/<script/g)).length, 1);
    assert.ok(!/\son[a-z]+=|\sstyle=|https?:/.test(page + contentOf(overviewSample())));
    assert.match(page, /<html lang="en">.*<main id="content"/s);
  });

  it("chooses round steps of a scale", () => {
    assert.deepEqual(
      [0, 0.7, 3, 24, 260].map((about) => niceStep(about, 10)),
      [0, 1, 5, 25, 500],
    );
    assert.deepEqual(
      [3, 300, 1500].map((about) => niceStep(about, 1024)),
      [5, 512, 2048],
    );
  });
});
