import { useRoute } from 'preact-iso';

import { Empty } from '../../components/States';
import { Tabs } from '../../components/Tabs';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { me } from '../../state/session';
import { ArchiveSection } from '../archive/ArchiveSection';
import { HospitalArchive } from '../archive/HospitalArchive';
import { NotFoundPage } from '../NotFoundPage';
import { AuditSection } from './AuditSection';
import { HealthSection } from './HealthSection';
import { HospitalsSection } from './HospitalsSection';
import { KeysSection } from './KeysSection';
import { UsersSection } from './UsersSection';

const SECTIONS = ['hospitals', 'users', 'archive', 'audit', 'health'] as const;

export function AdminPage() {
  const { section = '', code } = useRoute().params;
  useTitle(t('nav.admin'));
  if (me().role !== 'administrator') return <Empty title={t('errors.forbidden')} />;
  return (
    <div class="page">
      <Tabs
        label={t('nav.admin')}
        current={section}
        tabs={SECTIONS.map((name) => ({ name, label: t(`admin.${name}`), href: `/admin/${name}` }))}
      />
      <Section name={section} code={code} />
    </div>
  );
}

function Section({ name, code }: { name: string; code: string | undefined }) {
  switch (name) {
    case 'hospitals':
      return code ? <KeysSection code={code} /> : <HospitalsSection />;
    case 'users':
      return <UsersSection />;
    case 'archive':
      return code ? <HospitalArchive code={code} /> : <ArchiveSection />;
    case 'audit':
      return <AuditSection />;
    case 'health':
      return <HealthSection />;
    default:
      return <NotFoundPage />;
  }
}
