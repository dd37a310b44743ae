// What a client asks for: pages, fragments that are fetched again, unions of types behind Node, mutations.
import { graphql } from "relay-runtime";

export const UserListQuery = graphql`
  query queriesUserListQuery($count: Int!, $filter: UserFilter, $order: UserOrder) {
    me {
      id
      username
    }
    ...queries_users @arguments(count: $count, filter: $filter, order: $order)
  }
`;

export const Users = graphql`
  fragment queries_users on Query
  @refetchable(queryName: "queriesUsersPageQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    filter: { type: "UserFilter" }
    order: { type: "UserOrder" }
  ) {
    users(first: $count, after: $cursor, filter: $filter, orderBy: $order)
      @connection(key: "queries_users", filters: ["filter", "orderBy"]) {
      totalCount
      edges {
        node {
          id
          username
          role
          ...queries_sessions
        }
      }
    }
  }
`;

export const Sessions = graphql`
  fragment queries_sessions on User
  @refetchable(queryName: "queriesSessionsPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" }) {
    sessions(first: $count, after: $cursor) @connection(key: "queries_sessions") {
      edges {
        node {
          id
          title
          context
          createdAt
        }
      }
    }
  }
`;

export const AuditLogs = graphql`
  query queriesAuditLogsQuery($last: Int!, $before: String, $since: DateTime!, $network: String!) {
    auditLogs(
      last: $last
      before: $before
      filter: { timestamp: { gte: $since }, ipAddress: { cidr: $network }, or: [{ success: false }, { action: { eq: LOGIN } }] }
      orderBy: { field: TIMESTAMP, direction: ASC }
    ) @connection(key: "queries_auditLogs") {
      edges {
        node {
          id
          action
          details
          timestamp
          user {
            username
          }
        }
      }
    }
    auditLogStats(filter: { timestamp: { gte: $since } }) {
      total
      byAction {
        action
        count
      }
      overTime(interval: DAY) {
        start
        failures
      }
    }
  }
`;

export const Anything = graphql`
  query queriesNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on User {
        email @required(action: NONE)
      }
      ... on Session {
        threadId
      }
      ... on AuditLog {
        description
      }
    }
  }
`;

export const Login = graphql`
  mutation queriesLoginMutation($input: LoginInput!) {
    login(input: $input) {
      accessToken
      user {
        id
        username
      }
    }
  }
`;
