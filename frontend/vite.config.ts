import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.LOGSTREAM_DASHBOARD ?? "http://127.0.0.1:3001";

// What some pages share that Explore does not need before its first rows.
const FOLLOWING = /src\/(stream\/|lib\/source|ui\/[Ss]parkline)/;
const CHARTS = /src\/charts\/(?!later)/;

export default defineConfig({
  base: "./",
  plugins: [react(), tailwind()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    outDir: "../src/logstream/dashboard/web",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or styles
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // What two pages need is one file: many small ones compress worse and each is a request.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: "shared",
              minShareCount: 2,
              priority: 1,
              test: (id) => !FOLLOWING.test(id) && !CHARTS.test(id),
            },
            { name: "following", minShareCount: 2, test: FOLLOWING },
            { name: "charts", minShareCount: 2, test: CHARTS },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": api, "/health": api, "/ready": api } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], testTimeout: 30_000 },
});
