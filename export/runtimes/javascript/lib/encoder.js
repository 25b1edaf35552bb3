// Texts to token ids, cut as the Rust library cuts them: the JavaScript tokenizer neither truncates nor pads.

import { respelled } from "./spelling.js";

/** Texts, or pairs of texts, to token ids of at most `maxLength`, special tokens included. */
export class Encoder {
  /** `tokenizer` is a Tokenizer of @huggingface/tokenizers. */
  constructor(tokenizer, maxLength) {
    this.tokenizer = tokenizer;
    this.single = this.layout(["first"]);
    this.pair = this.layout(["first", "second"]);
    this.maxLength = maxLength;
  }

  /** {ids, types} of a text, or of a pair: the token ids and their token types. */
  encode(text, second = null) {
    const layout = second === null ? this.single : this.pair;
    const room = this.maxLength - layout.filter(({ id }) => id !== undefined).length;
    const kept = { first: this.words(text), second: second === null ? [] : this.words(second) };
    const [first, rest] = longestFirst(kept.first.length, kept.second.length, room);
    kept.first.length = first;
    kept.second.length = rest;
    const ids = [];
    const types = [];
    for (const { id, sequence, type } of layout) {
      for (const each of sequence ? kept[sequence] : [id]) {
        ids.push(each);
        types.push(type);
      }
    }
    return { ids, types };
  }

  words(text) {
    const spelled = respelled(text, this.tokenizer.normalizer?.config);
    return this.tokenizer.encode(spelled, { add_special_tokens: false }).ids;
  }

  /** What the tokenizer puts around sequences: a place for each of them, and the ids of special tokens. */
  layout(sequences) {
    const marks = sequences.map((name) => `\0${name}`); // no vocabulary has these
    const [first, second = null] = marks.map((mark) => [mark]);
    const { tokens, token_type_ids: types } = this.tokenizer.post_processor(first, second, true);
    return tokens.map((token, index) => {
      const place = marks.indexOf(token);
      return { type: types[index], ...(place < 0 ? { id: this.tokenizer.token_to_id(token) } : { sequence: sequences[place] }) };
    });
  }
}

/** How many tokens of two sequences stay in `room`, as the strategy `longest_first` of the Rust library says. */
export function longestFirst(first, second, room) {
  if (first + second <= room) return [first, second];
  let [shorter, longer] = first <= second ? [first, second] : [second, first];
  longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = Math.floor(room / 2);
    longer = shorter + (room % 2);
  }
  return first <= second ? [shorter, longer] : [longer, shorter];
}
