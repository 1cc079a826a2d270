// The style sheet of the HTML report: light and dark, on paper, and with words and shapes beside every colour. Shown inside the editor, it
// follows the editor's theme: VS Code names that in the classes of the body.

const LIGHT = `--page:#f4f5f7;--card:#fff;--text:#1b1f27;--quiet:#5b6472;--line:#dfe3e8;--soft:#f0f2f5;
--passed:#137a3d;--warned:#8a5a00;--failed:#b3202c;--inconclusive:#6a3fb5;--skipped:#5c6572;--phase:#3a6ea8;
--passed-soft:#e3f4ea;--warned-soft:#fcf0d6;--failed-soft:#fbe5e6;--inconclusive-soft:#efe8fb;--skipped-soft:#eceff2`;
const DARK = `--page:#12151a;--card:#1a1f26;--text:#e7eaef;--quiet:#9aa5b4;--line:#2d343e;--soft:#222932;
--passed:#5ed28f;--warned:#f0b849;--failed:#ff8087;--inconclusive:#bd9bff;--skipped:#98a3b1;--phase:#6fa8e6;
--passed-soft:#17352a;--warned-soft:#3a2f14;--failed-soft:#43202a;--inconclusive-soft:#2e2447;--skipped-soft:#262d36`;

/** The editor, which shows reports in a page of its own, says by a class what theme it has. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
:root:has(>.vscode-light),:root:has(>.vscode-high-contrast-light){color-scheme:light;${LIGHT}}
:root:has(>.vscode-dark),:root:has(>.vscode-high-contrast:not(.vscode-high-contrast-light)){color-scheme:dark;${DARK}}
:root:root:has(>.vscode-high-contrast){--line:var(--vscode-contrastBorder);--page:var(--vscode-editor-background);--card:var(--page);
--text:var(--vscode-foreground);--quiet:var(--text)}
body[class*=vscode-]{padding:0}body[class*=vscode-] code{color:inherit;background:none;padding:0}
*{box-sizing:border-box}
body{margin:0;padding:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main,header>div,footer{max-width:1080px;margin:0 auto;padding:0 24px}
header{background:var(--card);border-bottom:1px solid var(--line);border-top:6px solid var(--skipped);padding:28px 0 24px}
header.passed{border-top-color:var(--passed)}header.warned{border-top-color:var(--warned)}
header.failed{border-top-color:var(--failed)}header.inconclusive,header.cancelled{border-top-color:var(--inconclusive)}
header .verdict{font-size:17px}
article{margin:34px 0 0}
.band{border-left:6px solid var(--skipped);padding:4px 0 4px 18px;margin:0 0 18px}.band h2{font-size:21px;margin:8px 0 4px;overflow-wrap:anywhere}
.band.passed{border-color:var(--passed)}.band.warned{border-color:var(--warned)}.band.failed{border-color:var(--failed)}
.band.inconclusive,.band.cancelled{border-color:var(--inconclusive)}
h1{font-size:27px;line-height:1.25;margin:12px 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:18px;margin:0 0 14px}
h3{font-size:14px;margin:0 0 8px;color:var(--quiet);text-transform:uppercase;letter-spacing:.05em}
p{margin:0 0 8px;overflow-wrap:anywhere}
.quiet{color:var(--quiet)}
.badge{display:inline-flex;align-items:center;gap:6px;padding:2px 10px;border-radius:999px;font-weight:600;font-size:13px;white-space:nowrap}
.badge.large{font-size:16px;padding:5px 16px}
.passed.badge{color:var(--passed);background:var(--passed-soft)}.warned.badge{color:var(--warned);background:var(--warned-soft)}
.failed.badge{color:var(--failed);background:var(--failed-soft)}
.inconclusive.badge{color:var(--inconclusive);background:var(--inconclusive-soft)}
.cancelled.badge{color:var(--inconclusive);background:var(--inconclusive-soft)}
.skipped.badge{color:var(--skipped);background:var(--skipped-soft)}
.drill{background:var(--warned-soft);color:var(--warned);font-weight:600;padding:8px 14px;border-radius:8px;margin:0 0 14px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:14px;margin:24px 0}
.tile,section{background:var(--card);border:1px solid var(--line);border-radius:12px}
.tile{padding:14px 18px}.tile b{display:block;font-size:21px;line-height:1.3;overflow-wrap:anywhere}
.tile span{color:var(--quiet);font-size:13px;display:block}.tile .missed{color:var(--failed);font-weight:600}
section{padding:22px 24px;margin:0 0 18px}
table{width:100%;border-collapse:collapse}
th,td{text-align:left;vertical-align:top;padding:9px 12px 9px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
tr:last-child>td,tr:last-child>th{border-bottom:0}
thead th{color:var(--quiet);font-size:13px;font-weight:600;overflow-wrap:normal}
td small,th small{display:block;color:var(--quiet);font-weight:400;font-size:13px}
.checks .outcome{width:140px}.checks .name{width:190px}.checks .took{width:96px;text-align:right;padding-right:0;white-space:nowrap}
pre{margin:6px 0 0;padding:8px 12px;background:var(--soft);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere;
font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;max-height:260px;overflow:auto}
.reason{margin:2px 0 0;font-weight:600}
.reason.failed{color:var(--failed)}.reason.inconclusive{color:var(--inconclusive)}.reason.warned{color:var(--warned)}
.reason.passed,.reason.skipped{color:var(--quiet);font-weight:400}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(400px,1fr));gap:24px 40px}
dl{display:grid;grid-template-columns:minmax(110px,max-content) 1fr;gap:5px 16px;margin:0}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
.not-tested{border-left:4px solid var(--warned);background:var(--warned-soft);border-radius:0 8px 8px 0;padding:12px 18px;margin-top:16px}
.not-tested:not(:last-child){margin-bottom:18px}
.not-tested h3{color:var(--warned)}.not-tested ul{margin:0;padding-left:18px}
.met{color:var(--passed);font-weight:600}.missed{color:var(--failed);font-weight:600}
.scroll{overflow-x:auto}.machines .why{min-width:190px}.machines th,.machines td,.problems th{overflow-wrap:break-word}.unbroken{white-space:nowrap}
main>section:first-child{margin-top:24px}
.card{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(400px,100%),1fr));gap:18px 28px;padding:18px 0;border-top:1px solid var(--line)}
.card:first-of-type{border-top:0;padding-top:0}.card:last-child{padding-bottom:0}
.card h3{font-size:17px;color:var(--text);text-transform:none;letter-spacing:0;overflow-wrap:anywhere}
.card th[scope=row]{overflow-wrap:break-word;min-width:110px}.card .checks .outcome{width:140px}.card dl{margin:12px 0}.card table{margin:10px 0 12px}.card ul{margin:0 0 8px;padding-left:18px}.card .why li{font-weight:600}
.card .why code{font-weight:400;color:var(--quiet)}
.trends h3{text-transform:none;letter-spacing:0;font-size:15px;color:var(--text)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(290px,100%),1fr));gap:4px 22px}
.chip{display:inline-block;background:var(--soft);border-radius:6px;padding:1px 8px;margin:0 4px 4px 0}
dt small{display:block;font-size:12px}
details{margin-top:14px}summary{cursor:pointer;font-weight:600;padding:4px 0}
figure{margin:0}figure img{max-width:100%;height:auto;border:1px solid var(--line);border-radius:8px;background:#000;display:block}
figcaption{color:var(--quiet);font-size:13px;margin:6px 0 18px}
.chart{width:100%;height:auto;display:block;font-size:12px}
.chart text{fill:var(--text)}.chart .tick,.chart .time{fill:var(--quiet)}
.grid{stroke:var(--line)}.objective{stroke:var(--warned);stroke-width:1.5;stroke-dasharray:6 4}
.trend{fill:none;stroke:var(--phase);stroke-width:2}
.chart .above{paint-order:stroke;stroke:var(--card);stroke-width:4px}
.dot.phase{fill:var(--phase)}.dot{stroke:var(--card);stroke-width:1.5}
.bar.phase{fill:var(--phase);opacity:.75}.bar.passed,.dot.passed{fill:var(--passed)}.bar.warned,.dot.warned{fill:var(--warned)}
.bar.failed,.dot.failed{fill:var(--failed)}.bar.inconclusive,.dot.inconclusive,.dot.skipped{fill:var(--inconclusive)}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
footer{color:var(--quiet);font-size:13px;padding-bottom:40px}
a{color:inherit}
@media (max-width:720px){.facts{grid-template-columns:1fr}.scroll{overflow-x:auto}.scroll table{min-width:720px}section{padding:18px 16px}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--text:#000;--quiet:#444;--line:#bbb;--soft:#f6f6f6}
body{font-size:11px}td small,th small,thead th,figcaption,footer,code,.badge,.tile span,.quiet{font-size:10px}header .verdict{font-size:13px}
details::details-content{content-visibility:visible;display:block}main,header>div,footer{max-width:none;padding:0}section,.tile{border-radius:0}
section{break-inside:auto;padding:12px}tr,figure,.tile,.not-tested{break-inside:avoid}pre{max-height:none}
h2{break-after:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
