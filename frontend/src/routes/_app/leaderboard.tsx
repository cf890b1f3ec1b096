import { createFileRoute } from "@tanstack/react-router";
import { LeaderboardPage } from "@/features/leaderboard/page";
import { leaderboardSearch } from "@/features/leaderboard/search";

export const Route = createFileRoute("/_app/leaderboard")({
  validateSearch: leaderboardSearch,
  component: LeaderboardPage,
});
