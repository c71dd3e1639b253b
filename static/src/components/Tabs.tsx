export interface Tab {
  name: string;
  label: string;
  href: string;
  count?: number | undefined;
}

/** Links, so that each tab has its own address and the browser's back works. */
export function Tabs({ label, tabs, current }: { label: string; tabs: Tab[]; current: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a
          key={tab.name}
          class="tab"
          href={tab.href}
          aria-current={tab.name === current ? 'page' : undefined}
          data-testid={`tab-${tab.name}`}
        >
          {tab.label}
          {tab.count !== undefined && (
            <span class="count" data-testid={`tab-count-${tab.name}`}>
              {tab.count}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}
