import { language, switchLanguage, t } from '../i18n';

export function LanguageSwitch() {
  const other = language.value === 'zh' ? 'en' : 'zh';
  return (
    <button
      type="button"
      class="button quiet"
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      onClick={() => switchLanguage(other)}
      data-testid="language-switch"
    >
      {t(`language.switch_to_${other}`)}
    </button>
  );
}
