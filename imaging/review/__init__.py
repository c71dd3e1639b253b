"""The AI review hook: when a study is complete, a vendor's service is told, fetches it, and posts findings.

model, rules, completeness, results, retry are pure. tables, outbox, tokens, intake, findings, endpoints speak SQL.
watcher and delivery are the two background tasks; service is what others call; routes is the vendor's door (/ai).
The contract with vendors is docs/ai-hook.md.
"""
