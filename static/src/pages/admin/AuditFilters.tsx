import { type AuditQuery, listUsers } from '../../api/endpoints';
import { Select } from '../../components/fields';
import { useResource } from '../../components/resource';
import { t } from '../../i18n';
import { ACTIONS, actionWords } from './auditActions';

interface AuditFiltersProps {
  filter: AuditQuery;
  onChange: (filter: AuditQuery) => void;
}

/** By person and by action; each choice is applied at once. */
export function AuditFilters({ filter, onChange }: AuditFiltersProps) {
  const users = useResource('users', listUsers);
  const people = (users.data?.items ?? []).map(({ id, name, hospital }) => ({
    value: id,
    label: hospital ? `${name}（${hospital.name}）` : name,
  }));
  return (
    <div class="toolbar">
      <Select
        testid="audit-actor"
        label={t('audit.by_actor')}
        value={filter.actor ?? ''}
        placeholder={t('audit.anyone')}
        options={people}
        onChange={(actor) => onChange({ ...filter, actor })}
      />
      <Select
        testid="audit-action"
        label={t('audit.by_action')}
        value={filter.action ?? ''}
        placeholder={t('audit.anything')}
        options={ACTIONS.map((action) => ({ value: action, label: actionWords(action) }))}
        onChange={(action) => onChange({ ...filter, action })}
      />
    </div>
  );
}
