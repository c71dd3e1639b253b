import { language, messagesOf, t } from '../../i18n';

const PREFIX = 'errors.';
/** Refusals that only the browser itself knows; no server sends them. */
const OF_THE_BROWSER = ['network', 'upload.unreadable'];

function codes(): string[] {
  return Object.keys(messagesOf(language.value))
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => key.slice(PREFIX.length))
    .filter((code) => !OF_THE_BROWSER.includes(code))
    .toSorted();
}

/** Every `type` of a problem document leads to its row here. */
export function Errors() {
  return (
    <section class="card" id="errors">
      <h2>{t('docs.errors')}</h2>
      <p class="prose">{t('docs.errors_words')}</p>
      <dl class="docs-fields">
        {codes().map((code) => (
          <div key={code} id={`error-${code}`} data-testid={`docs-error-${code}`}>
            <dt>
              <a href={`#error-${code}`}>
                <code>{code}</code>
              </a>
            </dt>
            <dd>{t(PREFIX + code)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
