/** Device, browser and platform out of a User-Agent header: the few that rules are written about, by their usual marks. */
import { createMemo } from "./memo.ts";

export interface UserAgentTraits {
  device_type: string;
  browser: string;
  platform: string;
}

const longestUserAgent = 512;
const traitsMemo = createMemo<UserAgentTraits>(256);

/** The first mark that is found names the trait: whatever imitates another comes before it. */
type Marks = readonly (readonly [name: string, mark: RegExp])[];

const browsers: Marks = [
  ["opera", /\bOPR\/|\bOPT\/|\bOPiOS\/|Opera/],
  ["samsung_internet", /SamsungBrowser/],
  ["edge", /\bEdg(e|A|iOS)?\//],
  ["vivaldi", /Vivaldi/],
  ["yandex_browser", /YaBrowser/],
  ["uc_browser", /UCBrowser|UCWEB/],
  ["miui", /MiuiBrowser/],
  ["duckduckgo", /DuckDuckGo\/|\bDdg\//],
  ["brave", /\bBrave\//],
  ["silk", /\bSilk\//],
  ["firefox", /Firefox|FxiOS|Focus\//],
  ["electron", /Electron\//],
  ["chromium", /Chromium/],
  ["internet_explorer", /MSIE|Trident\//],
  ["chrome", /Chrome|CriOS/],
  ["android_browser", /Android.*Version\//],
  ["safari", /Safari|AppleWebKit.*Mobile/],
];

const platforms: Marks = [
  ["windows_phone", /Windows Phone/],
  ["xbox", /Xbox/],
  ["windows", /Windows|Win64|Win32/],
  ["ios", /iPhone|iPad|iPod/],
  ["macos", /Macintosh|Mac OS X/],
  ["tizen", /Tizen/],
  ["webos", /Web0S|webOS|hpwOS/],
  ["harmonyos", /HarmonyOS|OpenHarmony/],
  ["android", /Android/],
  ["chrome_os", /CrOS/],
  ["playstation_4", /PlayStation 4/],
  ["linux", /Linux|X11/],
];

const devices: Marks = [
  [
    "tv",
    /SmartTV|SMART-TV|Smart TV|AppleTV|Apple TV|GoogleTV|BRAVIA|AFT[A-Z]|Web0S|CrKey|PlayStation|Xbox|HbbTV|Tizen.*TV/,
  ],
  ["tablet", /iPad|Tablet|Silk(?!.*Mobile)|Kindle|PlayBook|Nexus (7|9|10)\b|SM-T\d/],
  ["mobile", /Mobi|iPhone|iPod|Windows Phone|Opera Mini|BlackBerry|BB10/],
  // An Android that does not call itself mobile.
  ["tablet", /Android/],
  ["desktop", /Windows|Macintosh|Mac OS X|X11|Linux|CrOS/],
];

const nameOf = (marks: Marks, text: string) => marks.find(([, mark]) => mark.test(text))?.[0] ?? "unknown";

/** `device_type`: mobile, tablet, desktop or tv; `browser`: chrome, safari …; `platform`: windows, ios …; else `unknown`. */
export function readUserAgent(userAgent: string): UserAgentTraits {
  const text = userAgent.slice(0, longestUserAgent);
  const known = traitsMemo.get(text);
  if (known) return known;
  const traits = {
    device_type: nameOf(devices, text),
    browser: nameOf(browsers, text),
    platform: nameOf(platforms, text),
  };
  traitsMemo.set(text, traits);
  return traits;
}
