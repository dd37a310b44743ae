// Ready queries for the questions that analysts really have. Times are filled in when a query is opened.
import type { Role } from "../auth/session.ts";

export interface Ready {
  id: string;
  title: string;
  about: string;
  /** The least role that gets an answer. */
  role: Role;
  query: string;
  variables?: () => unknown;
}

const HOUR = 3_600_000;
export const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();

export const FAILED_LOGINS = `query FailedLoginsByIp($filter: AuditLogFilter) {
  auditLogStats(filter: $filter) {
    total
    byIpAddress(first: 20) {
      ipAddress
      count
    }
  }
  auditLogs(first: 50, filter: $filter) {
    nodes {
      timestamp
      ipAddress
      username
      description
      userAgent
    }
  }
}
`;

export const TRAIL = `query AuditTrail($filter: AuditLogFilter, $first: Int = 50) {
  auditLogs(first: $first, filter: $filter) {
    totalCount
    nodes {
      id
      timestamp
      action
      success
      username
      ipAddress
      description
      details
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

export const CONVERSATIONS = `query OpenConversations($filter: SessionFilter) {
  sessions(first: 50, filter: $filter, orderBy: { field: UPDATED_AT, direction: DESC }) {
    totalCount
    nodes {
      title
      threadId
      isActive
      createdAt
      updatedAt
      user {
        username
        role
      }
    }
  }
}
`;

export const USER = `query UserWithTrail($username: String!) {
  userByUsername(username: $username) {
    username
    fullName
    role
    isActive
    lastLogin
    sessions(first: 20) {
      totalCount
      nodes {
        title
        threadId
        isActive
        createdAt
        endedAt
      }
    }
    auditLogs(first: 50) {
      totalCount
      nodes {
        timestamp
        action
        success
        ipAddress
        description
      }
    }
  }
}
`;

export const LIBRARY: Ready[] = [
  {
    id: "failed-logins",
    title: "Failed logins in the last 24 hours, by IP",
    about: "Who is being guessed, and from where.",
    role: "ANALYST",
    query: FAILED_LOGINS,
    variables: () => ({ filter: { action: { eq: "FAILED_LOGIN" }, timestamp: { gte: ago(24) } } }),
  },
  {
    id: "user-trail",
    title: "A user's conversations with their audit trail",
    about: "Everything one person asked and did.",
    role: "ANALYST",
    query: USER,
    variables: () => ({ username: "analyst" }),
  },
  {
    id: "role-changes",
    title: "Who changed roles this week",
    about: "Changes of users, by whom and of whom.",
    role: "ANALYST",
    query: TRAIL,
    variables: () => ({
      filter: {
        action: { eq: "USER_UPDATED" },
        or: [{ details: { contains: { changes: { role: {} } } } }, { details: { contains: { changed: ["role"] } } }],
        timestamp: { gte: ago(7 * 24) },
      },
    }),
  },
  {
    id: "ip-trail",
    title: "Everything that came from one address",
    about: "Users, actions and clients behind an IP address.",
    role: "ANALYST",
    query: TRAIL,
    variables: () => ({ filter: { ipAddress: { eq: "127.0.0.1" } } }),
  },
  {
    id: "agent-failures",
    title: "Agents that failed this week",
    about: "Questions and runs of agents that did not succeed.",
    role: "ANALYST",
    query: TRAIL,
    variables: () => ({
      filter: { action: { in: ["QUERY_AGENT", "AGENT_EXECUTION"] }, success: false, timestamp: { gte: ago(7 * 24) } },
    }),
  },
  {
    id: "open-conversations",
    title: "Open conversations, the latest first",
    about: "Who is working with an agent right now.",
    role: "ANALYST",
    query: CONVERSATIONS,
    variables: () => ({ filter: { isActive: true } }),
  },
  {
    id: "sleeping-accounts",
    title: "Active accounts that never logged in",
    about: "Candidates for being switched off.",
    role: "ANALYST",
    query: `query SleepingAccounts {
  users(first: 50, filter: { isActive: true, lastLogin: { isNull: true } }) {
    totalCount
    nodes {
      username
      email
      role
      createdAt
    }
  }
}
`,
  },
  {
    id: "me",
    title: "My profile, conversations and audit trail",
    about: "What is on record about you.",
    role: "VIEWER",
    query: `query Me {
  me {
    username
    fullName
    email
    role
    lastLogin
    sessions(first: 20) {
      nodes {
        title
        threadId
        isActive
        createdAt
      }
    }
    auditLogs(first: 20) {
      nodes {
        timestamp
        action
        success
        ipAddress
        description
      }
    }
  }
}
`,
  },
  {
    id: "access",
    title: "Who may do what",
    about: "The guard of every field, as data.",
    role: "VIEWER",
    query: `query AccessMatrix {
  accessMatrix {
    coordinate
    roles
    owner
  }
}
`,
  },
];

const RANK: Record<Role, number> = { VIEWER: 0, ANALYST: 1, ADMIN: 2 };
export const allows = (role: Role, needed: Role) => RANK[role] >= RANK[needed];
