// What @huggingface/tokenizers 0.2 reads otherwise than the Rust library does, under BERT's normalizer.

// It puts spaces around ideographs, and takes texts in units of UTF-16: these have two, so that it does not see them.
const TWO_UNIT_IDEOGRAPHS =
  /[\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/** The text in a spelling of which both make the same tokens; `normalizer` is that part of tokenizer.json, or undefined. */
export function respelled(text, normalizer) {
  if (normalizer?.type !== "BertNormalizer") return text;
  const apart = normalizer.handle_chinese_chars ? text.replace(TWO_UNIT_IDEOGRAPHS, " $& ") : text;
  return normalizer.lowercase ? apart.replaceAll("Σ", "σ") : apart; // JavaScript makes ς of it at the end of a word
}
