/** How bad a task could get, in the parts that the screens on it share: asking, numbers, ways, differences of texts. */
export { amountText, changeTone, isMore } from "./amount.ts";
export { DiffText } from "./diff-text.tsx";
export { Numbers, type Which } from "./numbers.tsx";
export { Steps } from "./steps.tsx";
export { useRadius, useSettled, type Radius, type RadiusAsks, type WhatIf } from "./use-radius.ts";
