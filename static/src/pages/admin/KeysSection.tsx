import { useState } from 'preact/hooks';

import { addApiKey, listApiKeys, revokeApiKey } from '../../api/endpoints';
import type { ApiKey } from '../../api/types';
import { AskOnce } from '../../components/AskOnce';
import { FormDialog } from '../../components/FormDialog';
import { useResource } from '../../components/resource';
import { Empty, Fetched } from '../../components/States';
import { dateTime } from '../../format';
import { t } from '../../i18n';
import { NewKeyDialog } from './NewKeyDialog';

/** The API keys of one hospital: what its PACS and gateways send with. */
export function KeysSection({ code }: { code: string }) {
  const keys = useResource(code, () => listApiKeys(code));
  const [adding, setAdding] = useState(false);
  const [shown, show] = useState<string | null>(null);
  return (
    <>
      <header class="page-head">
        <h1>
          {t('admin.keys_of')} <code>{code}</code>
        </h1>
        <div class="actions">
          <a class="button quiet" href="/api/docs#guide-dicomweb" target="_blank" rel="noopener">
            {t('docs.title')}
          </a>
          <a class="button" href="/admin/hospitals">
            {t('admin.back_to_hospitals')}
          </a>
          <button type="button" class="button primary" onClick={() => setAdding(true)} data-testid="key-add">
            {t('admin.add_key')}
          </button>
        </div>
      </header>
      <Fetched resource={keys}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('admin.no_keys')}>
              <p>{t('admin.no_keys_words')}</p>
            </Empty>
          ) : (
            <KeyTable code={code} keys={items} onRevoked={keys.reload} />
          )
        }
      </Fetched>
      {adding && (
        <FormDialog
          name="key"
          title={t('admin.add_key')}
          submit={t('admin.make_key')}
          fields={() => [{ name: 'label', label: t('admin.key_label'), hint: t('admin.key_label_hint') }]}
          act={async ({ label = '' }) => {
            show((await addApiKey(code, label)).key);
            keys.reload();
          }}
          onClose={() => setAdding(false)}
        />
      )}
      {shown && <NewKeyDialog secret={shown} onClose={() => show(null)} />}
    </>
  );
}

interface KeyTableProps {
  code: string;
  keys: ApiKey[];
  onRevoked: () => void;
}

function KeyTable({ code, keys, onRevoked }: KeyTableProps) {
  const [revoking, revoke] = useState<ApiKey | null>(null);
  return (
    <div class="table-frame">
      <table class="table table-still">
        <thead>
          <tr>
            {['key_label', 'key_prefix', 'created_at', 'last_used_at'].map((name) => (
              <th key={name} scope="col">
                {t(`admin.${name}`)}
              </th>
            ))}
            <th scope="col" aria-label={t('admin.revoke')} />
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id} class={key.revoked_at ? 'row row-gone' : 'row'} data-testid={`key-row-${key.id}`}>
              <td>{key.label}</td>
              <td>
                <code>{key.prefix}…</code>
              </td>
              <td>{dateTime(key.created_at)}</td>
              <td>{dateTime(key.last_used_at) || t('admin.never')}</td>
              <td class="cell-end">
                {key.revoked_at ? (
                  t('admin.revoked', { at: dateTime(key.revoked_at) })
                ) : (
                  <button type="button" class="button" onClick={() => revoke(key)} data-testid={`key-revoke-${key.id}`}>
                    {t('admin.revoke')}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {revoking && (
        <AskOnce
          question={{
            name: 'key-revoke',
            title: t('admin.revoke_title'),
            words: t('admin.revoke_words', { label: revoking.label }),
            confirm: t('admin.revoke'),
            grave: true,
            act: () => revokeApiKey(code, revoking.id).then(onRevoked),
          }}
          onClose={() => revoke(null)}
        />
      )}
    </div>
  );
}
