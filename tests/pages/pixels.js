// Width, height, commonest colour and share of other colours of the PNG image arguments[0], in base64.
const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
return createImageBitmap(new Blob([bytes])).then((image) => {
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const [[commonest, count]] = [...counts].sort((one, other) => other[1] - one[1]);
  const colour = [commonest & 255, (commonest >> 8) & 255, (commonest >> 16) & 255]; // little-endian: red first
  return [width, height, colour, 1 - count / pixels.length];
});
