/** The small parts that screens are made of. */
export * from "./amounts.ts";
export * from "./badge.tsx";
export * from "./button.tsx";
export * from "./dialog.tsx";
export * from "./field.tsx";
export * from "./keys.ts";
export * from "./keys-help.tsx";
export * from "./notes.tsx";
export * from "./panel.tsx";
export * from "./tabs.tsx";
export * from "./text.tsx";
export * from "./time.tsx";
export * from "./download.ts";
