/** Budgets: what was spent of them, by hour. */
export const spending = `
create table spending (
  holder text not null,
  what text not null,
  hour int8 not null,
  spent int8 not null,
  primary key (holder, what, hour)
);
create index spending_hour on spending (hour);
`;
