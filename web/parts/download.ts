/** Hands a file to the browser, which saves it. */
export function download(name: string, parts: readonly BlobPart[], type: string): void {
  const url = URL.createObjectURL(new Blob([...parts], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it when the click returns; Safari looks once more a little later.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
