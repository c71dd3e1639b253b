/** /api/docs: the API as it describes itself, what a hospital's and a vendor's programs need, and every error code. Open to anyone. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

import { getDescription } from '../../api/http';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { Errors } from './Errors';
import { type Group, groupsOf, type OpenApi } from './openapi';
import { Operations } from './Operations';
import { Shapes } from './Shapes';
import './apidocs.css';

export function ApiDocsPage() {
  const document = useResource('openapi', () => getDescription<OpenApi>());
  useTitle(t('docs.title'));
  return (
    <>
      <header class="top-bar">
        <a class="brand" href="/">
          {t('app.name')}
        </a>
        <h1 class="docs-title">{t('docs.title')}</h1>
        <LanguageSwitch />
      </header>
      <main class="main" data-testid="api-docs">
        <Fetched resource={document}>{(found) => <Documentation document={found} />}</Fetched>
      </main>
    </>
  );
}

function Documentation({ document: openapi }: { document: OpenApi }) {
  const groups = groupsOf(openapi);
  // What the address names after "#" stands in the page only now: go there again, so that it is scrolled to and marked.
  useEffect(() => {
    if (location.hash) location.replace(location.hash);
  }, []);
  return (
    <div class="docs">
      <Contents groups={groups} />
      <div class="docs-body">
        <Guide />
        {groups.map((group) => (
          <Operations key={group.tag} group={group} />
        ))}
        <Shapes schemas={openapi.components.schemas} />
        <Errors />
      </div>
    </div>
  );
}

const GUIDES = ['session', 'dicomweb', 'ai'] as const;

function Contents({ groups }: { groups: Group[] }) {
  return (
    <nav class="docs-contents" aria-label={t('docs.contents')}>
      {GUIDES.map((name) => (
        <a key={name} href={`#guide-${name}`}>
          {t(`docs.${name}.title`)}
        </a>
      ))}
      <strong>{t('docs.operations')}</strong>
      {groups.map(({ tag, operations }) => (
        <a key={tag} href={`#group-${tag}`}>
          <code>{tag}</code> <span class="quiet-label">{operations.length}</span>
        </a>
      ))}
      <strong>{t('docs.reference')}</strong>
      <a href="#shapes">{t('docs.shapes')}</a>
      <a href="#errors">{t('docs.errors')}</a>
      <a href="/api/openapi.json">openapi.json</a>
    </nav>
  );
}

/** The three ways in, in words, each with something to try. */
function Guide() {
  const base = location.origin;
  return (
    <>
      <Way name="session">
        <Example
          text={`curl -c jar -H 'Content-Type: application/json' -H 'Origin: ${base}' \\
  -d '{"username": "…", "password": "…"}' ${base}/api/v1/session
curl -b jar '${base}/api/v1/studies?limit=10'`}
        />
      </Way>
      <Way name="dicomweb">
        <Example
          text={`KEY=tk_…
# STOW-RS
curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/dicom' \\
  --data-binary @image.dcm ${base}/dicom-web/studies
# QIDO-RS
curl -H "Authorization: Bearer $KEY" -H 'Accept: application/dicom+json' \\
  '${base}/dicom-web/studies?PatientID=…&limit=20'
# WADO-RS
curl -H "Authorization: Bearer $KEY" -H 'Accept: multipart/related; type="application/dicom"' \\
  -o study.multipart ${base}/dicom-web/studies/{StudyInstanceUID}`}
        />
      </Way>
      <Way name="ai">
        <Example
          text={`JOB=${base}/ai/jobs/{uid}
curl -X POST -H "Authorization: Bearer $ENDPOINT_KEY" $JOB/token
curl -H "Authorization: Bearer $JOB_TOKEN" $JOB/manifest
curl -H "Authorization: Bearer $JOB_TOKEN" -H "Idempotency-Key: $EVENT_ID" \\
  -H 'Content-Type: application/json' -d @result.json $JOB/results`}
        />
      </Way>
    </>
  );
}

function Way({ name, children }: { name: (typeof GUIDES)[number]; children: ComponentChildren }) {
  return (
    <section class="card" id={`guide-${name}`}>
      <h2>{t(`docs.${name}.title`)}</h2>
      <p class="prose">{t(`docs.${name}.words`)}</p>
      {children}
    </section>
  );
}

function Example({ text }: { text: string }) {
  return <pre class="docs-example">{text}</pre>;
}
