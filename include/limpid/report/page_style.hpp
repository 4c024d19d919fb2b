#pragma once

#include <string_view>

namespace limpid::detail {

/// The style of the report page: phone to desktop, light and dark, no external resource.
inline constexpr std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #16191d; --quiet: #59616b; --line: #dde1e6;
  --link: #1c5fc4; --good: #0b6b3a; --good-back: #e0f4e8; --bad: #a1271b; --bad-back: #fbe6e3;
  --same-back: #eceff2; --note-back: #fff6dc; --note-line: #d9a514;
  --s0: #2a6fdb; --s1: #cc5208; --s2: #0d8465; --s3: #8549cf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121417; --card: #1b1e23; --ink: #e9ecef; --quiet: #a3abb5; --line: #343a42;
    --link: #7db1ff; --good: #7fdca6; --good-back: #143524; --bad: #ff9d91; --bad-back: #431b17;
    --same-back: #2a2f36; --note-back: #332a10; --note-line: #d9a514;
    --s0: #6aa6ff; --s1: #ff9552; --s2: #3fcf9f; --s3: #c59bff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 28px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 44px 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 1.02rem; margin: 26px 0 10px; }
p { margin: 0 0 12px; max-width: 72ch; }
a { color: var(--link); }
.quiet { color: var(--quiet); }
.small { font-size: .875rem; }
.nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 10px 0 0; padding: 0; list-style: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tiles {
  display: grid; gap: 12px; margin: 22px 0 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 210px), 1fr));
}
.tiles li { padding: 14px 16px; }
.tiles .task { font-weight: 600; overflow-wrap: anywhere; }
.tiles .big { font-size: 1.7rem; font-weight: 650; line-height: 1.25; }
.tiles .big, td, .number { font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: 12px 14px 6px; color: var(--quiet); font-size: .875rem; }
th, td { padding: 7px 14px; text-align: right; vertical-align: baseline; }
th:first-child, td:first-child { text-align: left; }
thead th { font-size: .8125rem; color: var(--quiet); font-weight: 600; }
tbody th { font-weight: 400; }
tbody tr { border-top: 1px solid var(--line); }
tbody th.group { font-weight: 650; padding-top: 14px; overflow-wrap: anywhere; }
.spread { display: block; color: var(--quiet); font-size: .78rem; white-space: nowrap; }
.pill {
  display: inline-block; margin-left: 6px; padding: 0 8px; border-radius: 99px; font-size: .78rem;
  line-height: 1.55; background: var(--same-back); color: var(--ink);
}
.pill.better { background: var(--good-back); color: var(--good); }
.pill.worse { background: var(--bad-back); color: var(--bad); }
.gain.better { color: var(--good); }
.gain.worse { color: var(--bad); }
.note {
  border-left: 4px solid var(--note-line); background: var(--note-back);
  padding: 10px 14px; margin: 14px 0 0; border-radius: 0 8px 8px 0; overflow-wrap: anywhere;
}
.plots { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
figure { margin: 0; }
.plot { padding: 12px 12px 6px; }
.plot figcaption { font-weight: 600; font-size: .94rem; }
.plot svg { display: block; width: 100%; height: auto; }
.plot text { fill: var(--quiet); font-size: 12px; }
.grid { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--quiet); stroke-width: 1; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 9 3; }
.s2 { stroke: var(--s2); stroke-dasharray: 3 3; } .s3 { stroke: var(--s3); stroke-dasharray: 9 4 2 4; }
.end0 { fill: var(--s0); } .end1 { fill: var(--s1); } .end2 { fill: var(--s2); } .end3 { fill: var(--s3); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 2px 0 4px; padding: 0; list-style: none; font-size: .875rem; }
.legend svg { display: inline-block; width: 30px; height: 10px; margin-right: 6px; vertical-align: middle; }
.picture { padding: 12px; margin: 0 0 14px; }
.picture > figcaption { margin: 0 0 10px; overflow-wrap: anywhere; }
.picture > figcaption .number { display: block; font-size: .875rem; color: var(--quiet); }
.three { display: grid; gap: 12px; grid-template-columns: 1fr; }
.three img { display: block; width: 100%; height: auto; border-radius: 6px; background: var(--line); }
.label { display: block; font-size: .8125rem; color: var(--quiet); margin: 0 0 4px; }
.slide { display: contents; }
.slide input, .handle { display: none; }
@media (min-width: 720px) { .three { grid-template-columns: repeat(3, 1fr); } }
.js .slide { display: block; position: relative; overflow: hidden; border-radius: 6px; --cut: 50%; align-self: start; }
.js .slide .before { position: absolute; z-index: 1; inset: 0; clip-path: inset(0 calc(100% - var(--cut)) 0 0); }
.js .slide img { border-radius: 0; }
.js .slide .before img { height: 100%; }
.js .view { position: relative; }
.js .view .label {
  position: absolute; z-index: 1; top: 8px; right: 8px; margin: 0; padding: 1px 8px;
  border-radius: 99px; background: rgba(0, 0, 0, .62); color: #fff; pointer-events: none;
}
.js .slide .before .label, .js .truth .label { right: auto; left: 8px; }
.js .slide input {
  display: block; position: absolute; z-index: 3; inset: 0; width: 100%; height: 100%; margin: 0;
  opacity: 0; cursor: ew-resize; touch-action: pan-y;
}
.js .handle {
  display: block; position: absolute; z-index: 2; top: 0; bottom: 0; left: var(--cut); width: 2px;
  margin-left: -1px; background: #fff; box-shadow: 0 0 0 1px rgba(0, 0, 0, .45); pointer-events: none;
}
.js .handle::after {
  content: "\2194"; position: absolute; top: 50%; left: 50%; width: 38px; height: 38px;
  margin: -19px 0 0 -19px; border-radius: 50%; background: #fff; color: #16191d;
  font: 600 20px/36px "DejaVu Sans", sans-serif; text-align: center; box-shadow: 0 1px 5px rgba(0, 0, 0, .5);
}
.js .slide input:focus-visible ~ .handle::after { outline: 4px solid #ffb000; outline-offset: 1px; }
@media (min-width: 720px) {
  .js .three { grid-template-columns: 1fr 1fr; max-width: max(560px, calc(160vh * var(--ratio))); }
}
dl { display: grid; grid-template-columns: minmax(110px, max-content) 1fr; margin: 0; padding: 6px 14px; }
dt { color: var(--quiet); padding: 6px 18px 6px 0; }
dd { margin: 0; padding: 6px 0; overflow-wrap: anywhere; white-space: pre-wrap; }
dd code { font: .875rem/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.protocols dl { grid-template-columns: 1fr; }
.protocols dt { padding-bottom: 0; color: var(--ink); font-weight: 600; }
.protocols dd { padding-top: 0; color: var(--quiet); font-size: .875rem; }
footer { padding-top: 28px; padding-bottom: 40px; color: var(--quiet); font-size: .875rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 480px) {
  h1 { font-size: 1.45rem; }
  table { font-size: .9rem; }
  caption { position: sticky; left: 0; max-width: calc(100vw - 34px); }
  th, td { padding: 7px 5px; }
  td:last-child, th:last-child { padding-right: 10px; }
  th:first-child, td:first-child { padding-left: 12px; }
  td .pill { display: block; width: max-content; margin: 2px 0 0 auto; }
  .plot text { font-size: 14px; }
  dl { grid-template-columns: 1fr; }
  dt { padding-bottom: 0; } dd { padding-top: 0; }
}
@media print {
  body { background: none; } .card { break-inside: avoid; }
}
)css";

}  // namespace limpid::detail
