//! team_api
