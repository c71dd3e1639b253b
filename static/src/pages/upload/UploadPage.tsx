import { useState } from 'preact/hooks';

import { Chips } from '../../components/Chips';
import { useTitle } from '../../components/title';
import { VirtualList } from '../../components/VirtualList';
import { t } from '../../i18n';
import { DropZone } from './DropZone';
import { FileRow } from './FileRow';
import { Progress } from './Progress';
import { type Group, GROUPS, summarise, within } from './summary';
import { uploads } from './uploads';

export function UploadPage() {
  const [group, setGroup] = useState<Group>('all');
  useTitle(t('nav.upload'));
  // Reading it draws this page again whenever the queue changes.
  void uploads.version.value;
  const summary = summarise(uploads.items);
  return (
    <div class="page page-upload">
      <DropZone small={uploads.items.length > 0} onFiles={(files) => uploads.add(files)} />
      {uploads.items.length > 0 && (
        <>
          <Progress summary={summary} onRetry={() => uploads.retryFailed()} />
          <Chips
            label={t('desk.filter')}
            chosen={group}
            onChoose={(name) => setGroup(name as Group)}
            chips={GROUPS.map((name) => ({ name, label: t(`upload.group.${name}`), count: summary.counts[name] }))}
          />
          <VirtualList
            label={t('upload.files')}
            rows={within(group, uploads.items)}
            keyOf={(item) => item.id}
            draw={(item) => <FileRow item={item} />}
          />
        </>
      )}
    </div>
  );
}
