import { invalidParameter } from "./drive-error.ts";
import type { FileRecord } from "./file-record.ts";
import type { Query } from "./query-syntax.ts";

/** What a query is asked against. */
export interface QueryScope {
  /** Whose app properties it sees. */
  readonly app: string;
  /** What `root` stands for. */
  readonly rootId: string;
  readonly isTrashed: (record: FileRecord) => boolean;
}

export function matchesQuery(query: Query, record: FileRecord, scope: QueryScope): boolean {
  switch (query.kind) {
    case "and":
      return matchesQuery(query.left, record, scope) && matchesQuery(query.right, record, scope);
    case "or":
      return matchesQuery(query.left, record, scope) || matchesQuery(query.right, record, scope);
    case "not":
      return !matchesQuery(query.query, record, scope);
    case "in":
      return record.parent === (query.value === "root" ? scope.rootId : query.value);
    case "has": {
      const properties = query.term === "properties" ? record.properties : record.appProperties.get(scope.app);
      return properties?.get(query.key) === query.value;
    }
    case "compare":
      return compare(query.term, query.operator, query.value, record, scope);
  }
}

function compare(term: string, operator: string, value: string, record: FileRecord, scope: QueryScope): boolean {
  switch (term) {
    case "trashed":
      return (scope.isTrashed(record) === (value === "true")) === (operator === "=");
    case "name":
      if (operator === "contains") return hasWordPrefix(record.name, value);
      // Drive looks for names without regard to case.
      return (record.name.toLowerCase() === value.toLowerCase()) === (operator === "=");
    case "mimeType":
      if (operator === "contains") return record.mimeType.startsWith(value);
      return (record.mimeType === value) === (operator === "=");
    case "modifiedTime":
      return compareTimes(record.modifiedTimeMs, operator, value);
    case "createdTime":
      return compareTimes(record.createdTimeMs, operator, value);
    default:
      throw invalidParameter("q");
  }
}

/** `contains` on names matches the beginnings of words, all of them, without regard to case. */
function hasWordPrefix(name: string, value: string): boolean {
  const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const own = words(name);
  return words(value).every((wanted) => own.some((word) => word.startsWith(wanted)));
}

/** RFC 3339; UTC unless it says otherwise. */
function compareTimes(ms: number, operator: string, value: string): boolean {
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(value) || !value.includes("T") ? value : `${value}Z`;
  const other = Date.parse(zoned);
  if (!/^\d{4}-\d\d-\d\d/.test(value) || Number.isNaN(other)) throw invalidParameter("q");
  switch (operator) {
    case "<":
      return ms < other;
    case "<=":
      return ms <= other;
    case ">":
      return ms > other;
    case ">=":
      return ms >= other;
    case "!=":
      return ms !== other;
    default:
      return ms === other;
  }
}
