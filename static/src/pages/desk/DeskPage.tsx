/** 工作台: four worklists with live counts; one table. */

import { useRoute } from 'preact-iso';

import { listConsultations, listOpenFindings, listStudies } from '../../api/endpoints';
import type { Consultation, List } from '../../api/types';
import { type Resource, useResource } from '../../components/resource';
import { Tabs } from '../../components/Tabs';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { useChanges } from '../../state/live';
import { NotFoundPage } from '../NotFoundPage';
import { ConsultationsTab } from './ConsultationsTab';
import { isOpen } from './filters';
import { FindingsTab } from './FindingsTab';
import { StudiesTab } from './StudiesTab';

const TABS = ['received', 'sent', 'studies', 'findings'] as const;

type TabName = (typeof TABS)[number];

const openOnes = ({ data }: Resource<List<Consultation>>) => data?.items.filter(isOpen).length;

export function DeskPage() {
  const { tab } = useRoute().params;
  const received = useResource('received', () => listConsultations('received'));
  const sent = useResource('sent', () => listConsultations('sent'));
  const findings = useResource('findings', listOpenFindings);
  const studies = useResource('studies', () => listStudies('', 1, 0));
  useChanges(['consultations'], () => (received.reload(), sent.reload()));
  useChanges(['findings'], findings.reload);
  useChanges(['studies'], studies.reload);
  useTitle(t('nav.desk'));

  const counts: Record<TabName, number | undefined> = {
    received: openOnes(received),
    sent: openOnes(sent),
    studies: studies.data?.total,
    findings: findings.data?.total,
  };
  return (
    <div class="page">
      <Tabs
        label={t('nav.desk')}
        current={tab ?? ''}
        tabs={TABS.map((name) => ({ name, label: t(`desk.${name}`), href: `/desk/${name}`, count: counts[name] }))}
      />
      {tab === 'received' && <ConsultationsTab key="received" box="received" resource={received} />}
      {tab === 'sent' && <ConsultationsTab key="sent" box="sent" resource={sent} />}
      {tab === 'studies' && <StudiesTab />}
      {tab === 'findings' && <FindingsTab resource={findings} />}
      {!TABS.some((name) => name === tab) && <NotFoundPage />}
    </div>
  );
}
