import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// No inline script or style, no request to anywhere: the console's policy refuses both.
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
  },
});
