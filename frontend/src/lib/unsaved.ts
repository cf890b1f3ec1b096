/** Whether the page holds what somebody typed into it and nobody saved: its form says so by `data-unsaved`. */
export function hasUnsaved(): boolean {
  return document.querySelector("form[data-unsaved]") !== null;
}
