import { Empty } from '../components/States';
import { useTitle } from '../components/title';
import { t } from '../i18n';

export function NotFoundPage() {
  useTitle(t('notfound.title'));
  return (
    <Empty title={t('notfound.title')}>
      <p>{t('notfound.words')}</p>
      <a class="button primary" href="/" data-testid="notfound-home">
        {t('notfound.home')}
      </a>
    </Empty>
  );
}
