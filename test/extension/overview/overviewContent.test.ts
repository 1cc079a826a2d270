import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { html, joined, Markup } from "../../../core/report/markup.js";
import { type ChartPoint, niceStep, thinned } from "../../../extension/model/timeChart.js";
import { overviewSections } from "../../../extension/overview/overviewContent.js";
import { savedPage } from "../../../extension/overview/savedPage.js";
import { webviewPage } from "../../../extension/overview/webviewPage.js";
import type { BackupPoint, MachineProof, OverviewData } from "../../../extension/service/overviewProtocol.js";
import { inProject } from "../../support/projectRoot.js";
import { overviewSample } from "./overviewSample.js";

const t = (text: string, ...values: (string | number)[]) =>
  text.replaceAll(/\{(\d)\}/g, (_, i) => String(values[Number(i)]));
const overviewContent = (...given: Parameters<typeof overviewSections>) => joined([...overviewSections(...given)]);
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
    assert.equal(
      Array.from(content.matchAll(/<details><summary id="[\w-]+">Show as a table/g)).length,
      pictures.length,
    );
    const ids = Array.from(content.matchAll(/ id="([^"]+)"/g), ([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(!/NaN|Infinity|undefined/.test(content));
  });

  it("says what there is not", () => {
    const empty = { ...overviewSample(), backups: [], machines: [], jobs: [], recovery: [] };
    const content = contentOf(empty);
    assert.match(content, /There is no snapshot yet/);
    assert.match(content, /No forecast\. It needs 7 whole days \(there are 0\) and 7 backups .*\(there are 0\)/);
    assert.match(content, /None was found/);
    assert.match(content, /No restore test that passed has measured it/);
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
    assert.match(page, /<html lang="en">.*<main>.*<div id="content"/s);
  });

  it("draws and lists ten thousand snapshots of two hundred machines in a second", () => {
    const data = overviewSample();
    const machines = Array.from({ length: 200 }, (_, i) => `prod:vm/machine-${i}`);
    const backups = Array.from({ length: 10_000 }, (_, i): BackupPoint => {
      const atMs = data.atMs - (10_000 - i) * 17_280_000;
      return {
        machine: machines[i % 200] ?? "",
        snapshotId: `${i}`,
        atMs,
        sizeBytes: 1e9,
        newBytes: 1e7,
        storedBytes: 5e6,
      };
    });
    const startedMs = performance.now();
    const content = contentOf({
      ...data,
      backups,
      machines: machines.map((machine, i) => ({ ...(data.machines[i % 3] as MachineProof), machine })),
      recovery: machines.map((machine) => ({ ...(data.recovery[0] as OverviewData["recovery"][0]), machine })),
    });
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < 1000, `${tookMs} ms`);
    assert.ok(content.length < 600_000, `${content.length} characters`);
    for (const [, points = ""] of content.matchAll(/<polyline [^>]*points="([^"]*)"/g))
      assert.ok(points.split(" ").length <= 242, "points that nobody can tell apart");
    assert.match(content, /<input id="machine-search" type="search"/);
    assert.match(content, /Earlier rows that are not shown: 1,60\d\./);
    assert.match(content, /Machines that are not shown: 188\./);
  });

  it("keeps the extremes and the marked ones of points that it thins out", () => {
    const points = Array.from({ length: 5000 }, (_, i): ChartPoint => {
      return { atMs: i, value: i === 1234 ? 99 : i % 7, mark: i === 4321 ? "warned" : null };
    });
    const kept = thinned(points);
    assert.ok(kept.length <= 243 && kept[0] === points[0] && kept.at(-1) === points.at(-1));
    assert.ok([1234, 4321].every((i) => kept.includes(points[i] as ChartPoint)));
    assert.equal(thinned(points.slice(0, 240)).length, 240);
  });

  it("says in French what it says in English, with French numbers", () => {
    const bundle = JSON.parse(readFileSync(inProject("l10n", "bundle.l10n.fr.json"), "utf8")) as Record<string, string>;
    const french = (text: string, ...values: (string | number)[]) => {
      assert.ok(bundle[text] !== undefined, text);
      return t(bundle[text], ...values);
    };
    const { source } = overviewContent(overviewSample(), { t: french, locale: "fr", timeZone: "UTC" });
    assert.match(source, /<b>12,1.Gio<\/b>/u);
    assert.match(source, /un instantané antérieur ; le plus récent n&#39;est pas prouvé/);
    assert.ok(!/>(?:[A-Z][a-z]+ )*(?:snapshot|machine was|Show|Day|Stored)/.test(source));
  });

  it("names the snapshot that a proof is of, when it is not the newest", () => {
    const content = contentOf(overviewSample());
    assert.match(content, /badge serves">serves<\/span><small>an earlier snapshot; the newest is not proven</);
    assert.match(content, /all data verified<\/span><small>last restore test: failed</);
  });

  it("can be kept as a file without script, button or request", () => {
    const reader = { t, locale: "en", timeZone: "UTC", isLive: false };
    const style = "body{color:var(--vscode-foreground)}";
    const content = overviewContent(overviewSample(), reader);
    const page = savedPage({ ...reader, title: "Overview", subtitle: "/srv", status: "now", content, style });
    assert.ok(!/<script|<button|<input|https?:|\son[a-z]+=|url\(/.test(page));
    const [, sheet = ""] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    const digest = createHash("sha256").update(sheet).digest("base64");
    assert.ok(page.includes(`default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'`));
    for (const id of ["machines", "capacity", "anomalies", "recovery", "jobs"])
      assert.ok(page.includes(`<h2 id="${id}">`));
  });

  it("chooses round steps of a scale", () => {
    assert.deepEqual(
      [0, 0.7, 3, 24, 260].map((about) => niceStep(about, 10)),
      [0, 0.8, 3, 25, 300],
    );
    assert.deepEqual(
      [3, 300, 1500].map((about) => niceStep(about, 1024)),
      [3, 384, 2048],
    );
  });
});
