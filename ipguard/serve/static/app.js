// The page of ipguard serve: no framework, no build step, no request to any other host.

const MAX_ROWS = 1000;
const CHUNK = 32;
const SHOWN_RISK = 0.1;
const EXAMPLES = {
  en: ["Goku and Pikachu share ramen in Shibuya, 4k", "a frozen lake at dawn", "chubby yellow mouse with red cheeks and a tail like a lightning bolt"],
  ja: ["ワンピースのルフィとピカチュウがラーメンを食べる", "白いワンピースの少女", "夜明けの凍った湖"],
};
const TEXT = {
  en: {
    skip: "Skip to the content", check: "Check", catalogue: "Catalogue", key: "Key", language: "Language",
    checkTitle: "Does this prompt ask for somebody else’s work?",
    checkLead: "Type a prompt meant for an image, video or text generator. You see how likely it is to reproduce a protected work, which one, and whose it is. A risk is no legal opinion.",
    prompt: "Prompt", promptPlaceholder: "A prompt in any language", promptHint: "Ctrl + Enter checks it.",
    purpose: "For a generator of", purposeAny: "anything", purposeImage: "images", purposeVideo: "videos", purposeText: "text",
    checkButton: "Check", examples: "Examples", drop: "Or drop a CSV file here, or", choose: "choose one",
    dropHint: `Up to ${MAX_ROWS.toLocaleString("en")} rows, with a column “prompt” or prompts in the first column.`,
    threshold: "Block from", result: "Result", risk: "risk", marked: "What was found in it", found: "Works",
    columnFound: "Found", columnWork: "Work", columnHolder: "Rights holder", columnRisk: "Risk", columnWhy: "Why", columnRow: "Row", columnDecision: "Decision",
    rewrite: "Without the protected work", copy: "Copy", copied: "Copied.", batch: "Prompts of the file", onlyFlagged: "Only those at risk", download: "Save as CSV", stop: "Stop",
    catalogueTitle: "Works in the catalogue", catalogueLead: "Look for a work, a character or a thing, in any language.",
    search: "Name", searchPlaceholder: "Pikachu, ルフィ, 孙悟空 …", medium: "Medium", mediumAny: "all", more: "More",
    footer: "Names of works belong to their owners; ipguard is not affiliated with any of them.",
    keyTitle: "A key is needed", keyLead: "This service answers callers with a key. It is kept in this tab only, and forgotten when the tab closes.",
    cancel: "Cancel", keySave: "Use this key", keyWrong: "The service does not know this key.",
    allow: "allowed", review: "to be reviewed", block: "blocked", working: "Checking …", nothing: "Type a prompt first.",
    done: (word) => `Done: ${word}.`, gauge: (risk, review, block) => `Risk ${risk}; reviewed from ${review}, blocked from ${block}`,
    effectOne: (at, word) => `At ${at} this prompt is ${word}.`,
    effectRule: "A rule decides about this prompt, whatever the threshold.",
    effectMany: (at, count, all) => `At ${at}, ${count} of ${all} prompts would be blocked.`,
    ruleBy: "Decided by", rewriteRisk: (before, after, word) => `Risk ${before} → ${after}: ${word}.`,
    versions: (v) => `Model ${v.model_version} · catalogue ${v.catalogue_version} · policy ${v.policy_version}`,
    free: "public domain", noMatch: "Nothing in it names or describes a work of the catalogue.",
    progress: (done, all) => `${done} of ${all} prompts checked`, counts: (c) => `${c.block} blocked · ${c.review} to be reviewed · ${c.allow} allowed`,
    cut: (rows) => `The file holds more than ${MAX_ROWS} prompts; the first ${rows} are checked.`, noRows: "The file holds no prompts.", notText: "The file is not text in UTF-8 or Shift JIS.",
    works: (n) => `${n} works`, oneWork: "1 work", noWorks: "No work bears that name.", itemsTitle: (n) => `Characters and things (${n})`,
    dtMedia: "Medium", dtHolders: "Rights holders", dtNames: "Names", dtStatus: "Status", dtGeneric: "Generic wording", dtRelatives: "Related", protected: "protected", public_domain: "public domain",
    offline: "The service cannot be reached. Nothing was decided.", busy: "The service is busy; it is tried again …",
    items: (n) => `${n} characters and things`,
  },
  ja: {
    skip: "本文へ移動", check: "チェック", catalogue: "カタログ", key: "キー", language: "言語",
    checkTitle: "そのプロンプト、誰かの作品ではありませんか？",
    checkLead: "画像・動画・文章の生成に使うプロンプトを入力してください。保護されている作品を再現する可能性、作品名、権利者を表示します。リスクは法的な判断ではありません。",
    prompt: "プロンプト", promptPlaceholder: "どの言語でも入力できます", promptHint: "Ctrl + Enter でチェックします。",
    purpose: "生成するもの", purposeAny: "指定なし", purposeImage: "画像", purposeVideo: "動画", purposeText: "文章",
    checkButton: "チェックする", examples: "例", drop: "CSV ファイルをここにドロップ、または", choose: "ファイルを選択",
    dropHint: `${MAX_ROWS.toLocaleString("ja")} 行まで。「prompt」列、なければ最初の列を読みます。`,
    threshold: "ブロックするリスク", result: "結果", risk: "リスク", marked: "見つかった箇所", found: "作品",
    columnFound: "箇所", columnWork: "作品", columnHolder: "権利者", columnRisk: "リスク", columnWhy: "理由", columnRow: "行", columnDecision: "判定",
    rewrite: "作品名を使わない言い換え", copy: "コピー", copied: "コピーしました。", batch: "ファイルのプロンプト", onlyFlagged: "リスクのあるものだけ", download: "CSV で保存", stop: "中止",
    catalogueTitle: "カタログの作品", catalogueLead: "作品・キャラクター・ものの名前で検索できます。どの言語でもかまいません。",
    search: "名前", searchPlaceholder: "ピカチュウ、ルフィ、Pikachu …", medium: "種類", mediumAny: "すべて", more: "もっと見る",
    footer: "作品名はそれぞれの権利者に帰属します。ipguard はいずれの権利者とも関係ありません。",
    keyTitle: "キーが必要です", keyLead: "このサービスを使うにはキーが必要です。キーはこのタブにだけ保存され、タブを閉じると消えます。",
    cancel: "キャンセル", keySave: "このキーを使う", keyWrong: "このキーは登録されていません。",
    allow: "許可", review: "要確認", block: "ブロック", working: "チェックしています…", nothing: "プロンプトを入力してください。",
    done: (word) => `完了：${word}`, gauge: (risk, review, block) => `リスク ${risk}、${review} から要確認、${block} からブロック`,
    effectOne: (at, word) => `${at} に設定すると、このプロンプトは「${word}」になります。`,
    effectRule: "このプロンプトは、しきい値に関係なくルールで判定されます。",
    effectMany: (at, count, all) => `${at} に設定すると、${all} 件中 ${count} 件がブロックされます。`,
    ruleBy: "判定の根拠", rewriteRisk: (before, after, word) => `リスク ${before} → ${after}（${word}）`,
    versions: (v) => `モデル ${v.model_version} ・ カタログ ${v.catalogue_version} ・ ポリシー ${v.policy_version}`,
    free: "パブリックドメイン", noMatch: "カタログの作品の名前や特徴は見つかりませんでした。",
    progress: (done, all) => `${all} 件中 ${done} 件をチェックしました`, counts: (c) => `ブロック ${c.block} 件 ・ 要確認 ${c.review} 件 ・ 許可 ${c.allow} 件`,
    cut: (rows) => `プロンプトが ${MAX_ROWS} 件を超えるため、最初の ${rows} 件をチェックします。`, noRows: "ファイルにプロンプトがありません。", notText: "UTF-8 または Shift_JIS のテキストではありません。",
    works: (n) => `${n} 作品`, oneWork: "1 作品", noWorks: "その名前の作品はありません。", itemsTitle: (n) => `キャラクターともの（${n}）`,
    dtMedia: "種類", dtHolders: "権利者", dtNames: "名前", dtStatus: "状態", dtGeneric: "一般的な言い方", dtRelatives: "関連作品", protected: "保護期間中", public_domain: "パブリックドメイン",
    offline: "サービスに接続できません。判定は行われていません。", busy: "混み合っています。もう一度試しています…",
    items: (n) => `キャラクターなど ${n} 件`,
  },
};
// The service words reasons for operators in English, of few parts.
const REASONS_JA = {
  "a name that means only this work": "この作品だけを指す名前", "a name that usually means this work": "たいていこの作品を指す名前",
  "a name that has other meanings too": "ほかの意味もある名前", "a common word that is also a name in this work": "この作品の名前でもある一般的な語",
  "with separators put in": "区切り文字入り", "spelled with gaps": "空白入り", "joined to other letters": "ほかの文字と連結", "with digits for letters": "数字で置き換え",
  "with signs for letters": "記号で置き換え", "with repeated letters": "文字の繰り返し", "in the other kana": "ひらがな・カタカナの入れ替え", misspelled: "つづりの揺れ",
  "excluded by the words around it": "前後の語で除外", "asked for as a style": "作風としての指定", "inside a real person's name": "実在の人物名の一部", "asked for by the words around it": "前後の語が要求を示す",
};
const MEDIA = {
  manga: "漫画", anime: "アニメ", novel: "小説", light_novel: "ライトノベル", visual_novel: "ビジュアルノベル", game: "ゲーム", film: "映画", tv: "テレビ番組", comic: "コミック", cartoon: "カートゥーン", book: "絵本・書籍",
  toy: "玩具", tabletop: "ボードゲーム", mascot: "マスコット", vtuber: "VTuber", virtual_singer: "バーチャルシンガー", webtoon: "ウェブトゥーン", tokusatsu: "特撮", studio: "スタジオ", music: "音楽", web: "ウェブ", brand: "ブランド", folklore: "民話・神話", artwork: "美術作品",
};

const $ = (id) => document.getElementById(id);
const state = { lang: "en", thresholds: null, verdict: null, prompt: "", rewrite: null, rows: [], batch: null, work: null, loaded: false, offset: 0, total: 0 };
const t = () => TEXT[state.lang];
const figure = (value) => (value > 0.99 && value < 1 ? 0.99 : value).toFixed(2); // 1.00 would sound certain
const medium = (name) => (state.lang === "ja" ? MEDIA[name] : name.replace("_", " ")) || name;

/** Make an element; children are nodes or texts, never markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function tell(id, message) {
  $(id).hidden = !message;
  $(id).textContent = message || "";
}

// ---- the service

class Refused extends Error {}

/** Call the service; asks for a key where one is needed, and waits where it is busy. */
async function call(path, body, signal) {
  for (let attempt = 0; ; attempt += 1) {
    const headers = { "Accept-Language": state.lang };
    const key = sessionStorage.getItem("key");
    if (key) headers.Authorization = `Bearer ${key}`;
    if (body) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body ? JSON.stringify(body) : undefined, signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(t().offline);
    }
    if (response.ok) return response.json();
    const problem = (await response.json().catch(() => null))?.error ?? { message: response.statusText };
    if (response.status === 401) {
      await askForKey(Boolean(key));
    } else if (response.status === 503 && attempt < 5) {
      $("status").textContent = t().busy;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Number(response.headers.get("Retry-After") || 1)));
    } else {
      throw new Refused(problem.message);
    }
  }
}

let asking = null;
/** Ask for a key once, however many calls wait for it. */
function askForKey(wrong) {
  asking ??= new Promise((resolve, reject) => {
    const dialog = $("key-dialog");
    const close = (result) => {
      dialog.close();
      asking = null;
      result();
    };
    tell("key-alert", wrong ? t().keyWrong : "");
    $("key-button").hidden = false;
    $("key-form").onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem("key", $("key-input").value.trim());
      close(resolve);
    };
    const give_up = () => close(() => reject(new Refused(t().keyTitle)));
    $("key-cancel").onclick = give_up;
    dialog.oncancel = give_up;
    $("key-input").value = "";
    dialog.showModal();
  });
  return asking;
}

// ---- one prompt

/** Parts of a prompt, the marked ones with the strongest match that covers them. Offsets are UTF-16 units. */
function parts(prompt, matches) {
  const cuts = new Set([0, prompt.length]);
  for (const match of matches) cuts.add(match.start_utf16).add(match.end_utf16);
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(0, -1).map((start, at) => {
    const end = places[at + 1];
    const covering = matches.filter((match) => match.start_utf16 <= start && end <= match.end_utf16);
    // A name inside a described clause says more than the clause.
    covering.sort((a, b) => b.risk - a.risk || a.end_utf16 - a.start_utf16 - (b.end_utf16 - b.start_utf16));
    return { text: prompt.slice(start, end), match: covering[0] };
  });
}

/** Whether a match is worth a look: at risk, ruled upon, or free to use. */
const telling = (match) => match.risk >= SHOWN_RISK || match.rule || (match.status === "public_domain" && match.kind !== "description");

function marked(prompt, matches, thresholds) {
  const shown = matches.filter((match) => match.end_utf16 > match.start_utf16);
  return parts(prompt, shown).map(({ text, match }) => {
    if (!match) return text;
    const level = match.risk >= thresholds.block ? "high" : match.risk >= thresholds.review ? "" : "low";
    return element("mark", { class: level || null, title: `${match.title} · ${figure(match.risk)}` }, text);
  });
}

function reason(text) {
  if (state.lang !== "ja") return text;
  const described = text.match(/^The text describes (.+) \(similarity ([\d.]+)\)\.$/);
  if (described) return `${described[1]} の特徴の描写（類似度 ${described[2]}）`;
  const named = text.match(/^“(.*)”: (.*)\.$/s);
  return named ? named[2].split(", ").map((part) => REASONS_JA[part] ?? part).join("、") : text;
}

function matchRow(match) {
  const head = (name) => ({ "data-head": t()[name] });
  const item = match.item ? element("span", { class: "hint" }, match.item) : "";
  const free = match.status === "public_domain" ? element("span", { class: "hint" }, t().free) : "";
  const why = element("td", head("columnWhy"), reason(match.reason));
  if (match.rule) why.append(element("span", { class: "hint" }, element("code", {}, match.rule)));
  return element("tr", {},
    element("td", {}, element("strong", { dir: "auto" }, match.text || "—")),
    element("td", head("columnWork"), element("a", { href: `#work/${match.work_id}` }, match.title), item, free),
    element("td", head("columnHolder"), match.rights_holder_names.join(", ") || "—"),
    element("td", { class: "figure", ...head("columnRisk") }, figure(match.risk)),
    why);
}

function showVerdict() {
  const { verdict, prompt } = state;
  if (!verdict) return;
  const { review, block } = verdict.thresholds;
  const matches = verdict.matches.filter(telling);
  $("risk").textContent = figure(verdict.risk);
  $("decision").className = `badge ${verdict.decision}`;
  $("decision").textContent = t()[verdict.decision];
  $("gauge").className = `gauge is-${verdict.decision}`;
  $("gauge").setAttribute("aria-label", t().gauge(figure(verdict.risk), figure(review), figure(block)));
  $("gauge").querySelector(".fill").style.width = `${100 * verdict.risk}%`;
  $("gauge").querySelector(".review").style.left = `${100 * review}%`;
  $("gauge").querySelector(".block").style.left = `${100 * block}%`;
  $("rule").replaceChildren(`${t().ruleBy} `, element("code", {}, verdict.rule));
  $("marked").replaceChildren(...marked(prompt, matches, verdict.thresholds));
  $("found").hidden = !matches.length;
  $("matches").replaceChildren(...matches.slice(0, 50).map(matchRow));
  $("versions").textContent = t().versions(verdict);
  $("message").textContent = matches.length || verdict.flagged ? verdict.message : t().noMatch;
  showRewrite();
  $("result").hidden = false;
}

function showRewrite() {
  const done = state.rewrite;
  $("rewrite").hidden = !done?.replacements.length;
  if (!done?.replacements.length) return;
  const pieces = [];
  const points = [...done.prompt];
  let at = 0;
  for (const piece of done.replacements) {
    pieces.push(points.slice(at, piece.start).join(""));
    if (piece.new) pieces.push(element("ins", {}, piece.new));
    at = piece.end;
  }
  pieces.push(points.slice(at).join(""));
  $("rewrite-text").replaceChildren(...pieces);
  $("rewrite-risk").textContent = t().rewriteRisk(figure(done.risk_before), figure(done.risk), t()[done.decision]);
}

async function check(event) {
  event?.preventDefault();
  const prompt = $("prompt").value;
  tell("alert", prompt.trim() ? "" : t().nothing);
  if (!prompt.trim()) {
    $("prompt").focus();
    return;
  }
  state.batch?.abort();
  $("check-button").disabled = true;
  $("status").textContent = t().working;
  try {
    const purpose = $("purpose").value || null;
    const { results } = await call("/v1/score", { prompt, purpose, lang: state.lang });
    Object.assign(state, { verdict: results[0], prompt, rewrite: null, rows: [] });
    if (!state.verdict.thresholds) throw new Refused(`${t()[state.verdict.decision]}: ${state.verdict.message}`);
    $("batch").hidden = true;
    showVerdict();
    setThresholds(state.verdict.thresholds);
    $("status").textContent = t().done(t()[state.verdict.decision]);
    if (state.verdict.flagged) {
      state.rewrite = await call("/v1/rewrite", { prompt, purpose });
      showRewrite();
    }
  } catch (error) {
    fail("alert", error);
  } finally {
    $("check-button").disabled = false;
  }
}

function fail(id, error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof Refused)) console.error(error);
  $("status").textContent = "";
  tell(id, error.message);
}

// ---- the threshold

function setThresholds(thresholds) {
  if (!state.thresholds) $("threshold").value = thresholds.block.toFixed(2);
  state.thresholds = thresholds;
  // One slider serves both: under the verdict of a prompt, or above the rows of a file.
  if (state.rows.length) $("batch-slider").append($("slider"));
  else $("result").querySelector(".verdict").after($("slider"));
  showThreshold();
}

/** Whether a prompt would be blocked from a risk; rules of the policy go before thresholds. */
function blockedAt(verdict, threshold) {
  return verdict.rule.startsWith("threshold:") || verdict.rule === "empty" ? verdict.residual_risk >= threshold : verdict.decision === "block";
}

function showThreshold() {
  const at = Number($("threshold").value);
  $("threshold-value").textContent = figure(at);
  const scored = state.rows.filter((row) => row.verdict);
  if (scored.length) {
    const count = scored.filter((row) => blockedAt(row.verdict, at)).length;
    $("threshold-effect").textContent = t().effectMany(figure(at), count, scored.length);
  } else if (state.verdict) {
    const ruled = !state.verdict.rule.startsWith("threshold:");
    const review = Math.min(state.thresholds.review, at);
    const word = blockedAt(state.verdict, at) ? "block" : state.verdict.residual_risk >= review ? "review" : "allow";
    $("threshold-effect").textContent = ruled ? t().effectRule : t().effectOne(figure(at), t()[word]);
  }
}

// ---- a file of prompts

/** Rows of a CSV or TSV text as RFC 4180 has it. */
function parseTable(text) {
  const first = text.slice(0, text.indexOf("\n") + 1 || undefined);
  const comma = first.includes("\t") && !first.includes(",") ? "\t" : ",";
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    const row = rows[rows.length - 1];
    if (quoted) {
      if (char !== '"') row[row.length - 1] += char;
      else if (text[at + 1] === '"') row[row.length - 1] += text[(at += 1)];
      else quoted = false;
    } else if (char === '"' && row[row.length - 1] === "") quoted = true;
    else if (char === comma) row.push("");
    else if (char === "\n" || (char === "\r" && text[at + 1] !== "\n")) rows.push([""]);
    else if (char !== "\r") row[row.length - 1] += char;
  }
  return rows.filter((row) => row.some((cell) => cell.trim()));
}

function decode(bytes) {
  for (const encoding of ["utf-8", "shift_jis"]) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes);
    } catch { /* the next one */ }
  }
  throw new Refused(t().notText);
}

function promptsOf(table) {
  const heads = (table[0] ?? []).map((cell) => cell.trim().toLowerCase());
  const column = heads.findIndex((head) => ["prompt", "prompts", "text", "プロンプト"].includes(head));
  const rows = table.map((row, at) => ({ number: at + 1, prompt: row[Math.max(column, 0)] ?? "" }));
  return (column >= 0 ? rows.slice(1) : rows).filter((row) => row.prompt.trim());
}

async function checkFile(file) {
  tell("alert", "");
  state.batch?.abort();
  const control = (state.batch = new AbortController());
  try {
    const rows = promptsOf(parseTable(decode(await file.arrayBuffer())));
    if (!rows.length) throw new Refused(t().noRows);
    Object.assign(state, { rows: rows.slice(0, MAX_ROWS), verdict: null, rewrite: null });
    if (rows.length > MAX_ROWS) tell("alert", t().cut(MAX_ROWS));
    $("result").hidden = true;
    $("batch").hidden = false;
    $("batch-stop").hidden = false;
    showBatch(true);
    for (let at = 0; at < state.rows.length; at += CHUNK) {
      const chunk = state.rows.slice(at, at + CHUNK);
      const body = { prompts: chunk.map((row) => row.prompt), purpose: $("purpose").value || null, lang: state.lang };
      const { results } = await call("/v1/score", body, control.signal);
      chunk.forEach((row, place) => { row.verdict = results[place]; });
      if (results[0].thresholds) setThresholds(results[0].thresholds);
      showBatch(false);
    }
  } catch (error) {
    fail("alert", error);
  } finally {
    if (state.batch === control) $("batch-stop").hidden = true;
  }
}

function batchRow(row) {
  const { verdict, number, prompt } = row;
  const works = [...new Set((verdict.matches ?? []).filter(telling).map((match) => match.title))];
  return element("tr", {},
    element("td", { class: "figure", "data-head": t().columnRow }, String(number)),
    element("td", {}, element("strong", { class: `badge ${verdict.decision}` }, t()[verdict.decision])),
    element("td", { class: "figure", "data-head": t().columnRisk }, verdict.risk === undefined ? "—" : figure(verdict.risk)),
    element("td", { dir: "auto" }, prompt.length > 300 ? `${prompt.slice(0, 300)}…` : prompt),
    element("td", { "data-head": t().columnWork }, works.slice(0, 4).join(", ") || "—"));
}

function showBatch(anew) {
  const scored = state.rows.filter((row) => row.verdict);
  const counts = { allow: 0, review: 0, block: 0 };
  for (const row of scored) counts[row.verdict.decision] += 1;
  $("progress").value = scored.length / state.rows.length;
  $("progress").hidden = scored.length === state.rows.length;
  $("status").textContent = t().progress(scored.length, state.rows.length);
  $("batch-summary").textContent = t().counts(counts);
  const body = $("batch-rows");
  if (anew) {
    body.replaceChildren();
    for (const row of state.rows) row.shown = false;
  }
  const wanted = scored.filter((row) => !row.shown && (!$("only-flagged").checked || row.verdict.flagged));
  body.append(...wanted.map(batchRow));
  for (const row of scored) row.shown = true;
}

function saveBatch() {
  // A spreadsheet would run a cell that begins like a formula.
  const cell = (value) => `"${String(value).replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
  const lines = [["row", "prompt", "risk", "decision", "reason_code", "works", "rights_holders"].join(",")];
  for (const { number, prompt, verdict } of state.rows) {
    if (!verdict) continue;
    const matches = (verdict.matches ?? []).filter(telling);
    const unique = (list) => [...new Set(list)].join("; ");
    const works = unique(matches.map((match) => match.title));
    const holders = unique(matches.flatMap((match) => match.rights_holder_names));
    lines.push([number, cell(prompt), verdict.risk ?? "", verdict.decision, verdict.reason_code, cell(works), cell(holders)].join(","));
  }
  const url = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
  element("a", { href: url, download: "ipguard.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// ---- the catalogue

async function search(more) {
  const control = new AbortController();
  if (!more) {
    state.searching?.abort();
    state.offset = 0;
  }
  state.searching = control;
  tell("search-alert", "");
  const query = new URLSearchParams({ q: $("query").value.trim(), medium: $("medium").value, offset: state.offset, limit: 30 });
  try {
    const found = await call(`/v1/catalogue/search?${query}`, null, control.signal);
    if (!more) $("works").replaceChildren();
    $("works").append(...found.works.map(workEntry));
    state.offset += found.works.length;
    state.total = found.total;
    if (!more) fillMedia(found.media);
    showCount();
  } catch (error) {
    fail("search-alert", error);
  }
}

function showCount() {
  const { total } = state;
  $("search-status").textContent = total === 0 ? t().noWorks : total === 1 ? t().oneWork : t().works(total.toLocaleString(state.lang));
  $("more").hidden = state.offset >= total;
}

function fillMedia(media) {
  if ($("medium").options.length > 1) return;
  $("medium").append(...media.map((name) => element("option", { value: name }, medium(name))));
}

function workEntry(work) {
  const facts = [work.media.map(medium).join(", "), work.country, work.rights_holders.map((holder) => holder.name).join(", ")];
  const button = element("button", { type: "button", "data-work": work.id, "aria-pressed": String(state.work?.id === work.id) },
    work.title, work.name ? ` — ${work.name}` : "", element("span", { class: "hint" }, facts.filter(Boolean).join(" · ")));
  button.addEventListener("click", () => { location.hash = `#work/${work.id}`; });
  return element("li", {}, button);
}

async function openWork(id) {
  try {
    state.work = await call(`/v1/works/${encodeURIComponent(id)}`);
    showWork();
    $("work").focus({ preventScroll: matchMedia("(min-width: 46rem)").matches });
  } catch (error) {
    fail("search-alert", error);
  }
}

function namesOf(names) {
  const inOrder = [...names].sort((a, b) => (b.lang === state.lang) - (a.lang === state.lang));
  return [...new Set(inOrder.map((name) => name.text))].join(state.lang === "ja" ? "、" : ", ");
}

function showWork() {
  const { work } = state;
  if (!work) return;
  $("work-title").textContent = work.title;
  $("work-facts").textContent = [work.media.map(medium).join(", "), work.country, t().items(work.items.length)].join(" · ");
  $("work-description").textContent = work.descriptions[state.lang] ?? work.descriptions.en ?? "";
  const facts = [
    ["dtHolders", work.rights_holders.map((holder) => holder.name).join(", ")],
    ["dtStatus", t()[work.status]], ["dtNames", namesOf(work.names)], ["dtGeneric", work.generic ?? ""],
    ["dtRelatives", work.relatives.map((other) => other.title).join(", ")],
  ].filter(([, value]) => value);
  $("work-data").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", {}, t()[name]), element("dd", {}, value)]));
  $("work-items-title").textContent = work.items.length ? t().itemsTitle(work.items.length) : "";
  $("work-items").replaceChildren(...work.items.map((item) =>
    element("li", {}, element("strong", {}, item.title), " ", element("span", { class: "names" }, namesOf(item.names)),
      element("div", {}, item.descriptions[state.lang] ?? item.descriptions.en ?? ""))));
  $("work").hidden = false;
  for (const button of $("works").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.work === work.id));
  }
}

// ---- language, views, start

function speak(lang) {
  state.lang = lang;
  document.documentElement.lang = lang;
  for (const node of document.querySelectorAll("[data-i18n]")) node.textContent = t()[node.dataset.i18n];
  for (const node of document.querySelectorAll("[data-i18n-label]")) node.setAttribute("aria-label", t()[node.dataset.i18nLabel]);
  for (const node of document.querySelectorAll("[data-i18n-placeholder]")) node.placeholder = t()[node.dataset.i18nPlaceholder];
  for (const node of document.querySelectorAll("[data-lang]")) node.setAttribute("aria-pressed", String(node.dataset.lang === lang));
  for (const option of [...$("medium").options].slice(1)) option.textContent = medium(option.value);
  $("examples").replaceChildren(...EXAMPLES[lang].map((text) => {
    const button = element("button", { type: "button" }, text);
    button.addEventListener("click", () => {
      $("prompt").value = text;
      check();
    });
    return button;
  }));
  showVerdict();
  if (state.rows.length) showBatch(true);
  if (state.thresholds) showThreshold();
  if (state.loaded) search();
  showWork();
  showView();
}

function showView() {
  const hash = location.hash.slice(1);
  const view = hash === "catalogue" || hash.startsWith("work/") ? "catalogue" : "check";
  for (const name of ["check", "catalogue"]) $(name).hidden = name !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${t()[view]} · ipguard`;
  return [view, hash];
}

function route() {
  const [view, hash] = showView();
  if (view !== "catalogue") return;
  if (!state.loaded) {
    state.loaded = true;
    search();
  }
  if (hash.startsWith("work/")) openWork(decodeURIComponent(hash.slice(5)));
}

function watchDrop() {
  const drop = $("drop");
  const over = (event) => {
    event.preventDefault();
    drop.classList.toggle("over", event.type === "dragover");
  };
  // Files are taken anywhere on the page: one that misses the field would otherwise replace the page.
  for (const type of ["dragover", "dragleave", "drop"]) addEventListener(type, over);
  addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (file) checkFile(file);
  });
  $("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) checkFile(file);
    event.target.value = "";
  });
}

function start() {
  $("prompt-form").addEventListener("submit", check);
  $("prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) check(event);
  });
  $("threshold").addEventListener("input", showThreshold);
  $("only-flagged").addEventListener("change", () => showBatch(true));
  $("download").addEventListener("click", saveBatch);
  $("batch-stop").addEventListener("click", () => state.batch?.abort());
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(state.rewrite.text);
    $("status").textContent = t().copied;
  });
  $("key-button").addEventListener("click", () => askForKey(false).catch(() => {}));
  $("key-button").hidden = !sessionStorage.getItem("key");
  let timer;
  $("query").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(), 200);
  });
  $("medium").addEventListener("change", () => search());
  $("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  $("more").addEventListener("click", () => search(true));
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => {
      sessionStorage.setItem("lang", button.dataset.lang);
      speak(button.dataset.lang);
    });
  }
  watchDrop();
  addEventListener("hashchange", route);
  const preferred = navigator.languages.find((tag) => /^(en|ja)\b/.test(tag)) ?? "en";
  speak(sessionStorage.getItem("lang") ?? preferred.slice(0, 2));
  route();
}

start();
