import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * A compressed twin beside every asset worth it: the server sends it to browsers that take gzip, at no cost then.
 * Made of the files as written: in `generateBundle` Vite has not yet put in what a lazily loaded part preloads.
 */
function gzipTwins(): Plugin {
  return {
    name: 'gzip-twins',
    apply: 'build',
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle)) {
        const path = join(dir!, name);
        const source = readFileSync(path);
        if (!/\.(js|css|wasm|svg)$/.test(name) || source.length < 1024) continue;
        writeFileSync(`${path}.gz`, gzipSync(source, { level: 9 }));
      }
    },
  };
}

/** The page of a study: the app with its viewer asked for at once, instead of after the app has started. */
function studyPage(): Plugin {
  return {
    name: 'study-page',
    apply: 'build',
    writeBundle({ dir }, bundle) {
      const viewer = Object.values(bundle).find((one) => one.type === 'chunk' && one.moduleIds.some((id) => id.endsWith('/viewer/StudyViewer.tsx')));
      if (viewer?.type !== 'chunk') throw new Error('the viewer is no chunk of its own');
      const styles = [...(viewer.viteMetadata?.importedCss ?? [])].map((name) => `<link rel="preload" as="style" href="/${name}" crossorigin />`);
      const links = [`<link rel="modulepreload" href="/${viewer.fileName}" crossorigin />`, ...styles].join('\n    ');
      const page = readFileSync(join(dir!, 'index.html'), 'utf8');
      writeFileSync(join(dir!, 'study.html'), page.replace('</head>', `  ${links}\n  </head>`));
    },
  };
}

const absent = new URL('./src/absent.ts', import.meta.url).pathname;

const standIns = new URL('./src/standIns.ts', import.meta.url).pathname;
const UNUSED = /^(dcmjs|xmlbuilder2|pako)$|\/WebGPU\/|displayset\/displaySetProvider|^\.\.\/displayset\/index/;

/** Leaves out of Cornerstone3D and vtk.js what this app never runs (see src/standIns.ts). */
function leaner(): Plugin {
  return {
    name: 'leaner',
    enforce: 'pre',
    resolveId: (source) => (UNUSED.test(source) ? standIns : null),
  };
}

export default defineConfig({
  plugins: [leaner(), studyPage(), gzipTwins()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Cornerstone3D with vtk.js is one lazily loaded chunk; the desk must stay far below this.
    chunkSizeWarningLimit: 6000,
    // Small files would become data: URIs, which the content security policy forbids for scripts and workers.
    assetsInlineLimit: 0,
    // The polyfill is an inline script; every browser that runs the viewer preloads modules by itself.
    modulePreload: { polyfill: false },
    // The package does not say so itself; without it every decoder stands in the page as well as in its worker.
    rollupOptions: { treeshake: { moduleSideEffects: (id) => !id.includes('/dicom-image-loader/') } },
  },
  resolve: {
    // Emscripten's codec loaders name Node modules in a branch that a browser never takes.
    // (`events` is no such module: vtk.js needs a real one, so it stands in package.json.)
    alias: { fs: absent, path: absent, url: absent },
  },
  // Cornerstone3D's decoders are module workers.
  worker: { format: 'es' },
  optimizeDeps: {
    exclude: ['@cornerstonejs/dicom-image-loader'],
    include: ['dicom-parser'],
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8080',
      '/dicom-web': 'http://127.0.0.1:8080',
    },
  },
  test: {
    environment: 'happy-dom',
    // One environment for all files: a new one for each takes ten times as long as the tests themselves.
    isolate: false,
    include: ['src/**/*.test.{ts,tsx}'],
  },
});
