import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';

import { addHospital, listHospitals } from '../../api/endpoints';
import type { Hospital } from '../../api/types';
import { FormDialog } from '../../components/FormDialog';
import { useResource } from '../../components/resource';
import { Empty, Fetched } from '../../components/States';
import { type Column, Table } from '../../components/Table';
import { t } from '../../i18n';

const columns = (): Column<Hospital>[] => [
  { name: 'code', title: t('admin.code'), cell: (row) => <code>{row.code}</code> },
  { name: 'name', title: t('admin.hospital_name'), cell: (row) => <strong class="name">{row.name}</strong> },
  { name: 'city', title: t('admin.city'), cell: (row) => row.city },
  { name: 'keys', title: '', cell: () => <span class="quiet-label">{t('admin.keys')} ›</span> },
];

export function HospitalsSection() {
  const { route } = useLocation();
  const [adding, setAdding] = useState(false);
  const hospitals = useResource('hospitals', listHospitals);
  return (
    <>
      <div class="toolbar">
        <button
          type="button"
          class="button primary toolbar-end"
          onClick={() => setAdding(true)}
          data-testid="hospital-add"
        >
          {t('admin.add_hospital')}
        </button>
      </div>
      <Fetched resource={hospitals}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('admin.no_hospitals')} />
          ) : (
            <Table
              name="hospital"
              label={t('admin.hospitals')}
              columns={columns()}
              rows={items}
              keyOf={(row) => row.code}
              onOpen={(row) => route(`/admin/hospitals/${row.code}`)}
            />
          )
        }
      </Fetched>
      {adding && (
        <FormDialog
          name="hospital"
          title={t('admin.add_hospital')}
          submit={t('admin.add')}
          fields={() => [
            { name: 'code', label: t('admin.code'), hint: t('admin.code_hint') },
            { name: 'name', label: t('admin.hospital_name') },
            { name: 'city', label: t('admin.city') },
          ]}
          act={async ({ code = '', name = '', city = '' }) => {
            await addHospital({ code, name, city });
            hospitals.reload();
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}
