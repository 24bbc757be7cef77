-- Who may watch a video besides its team, where somebody said so; else the team decides.
ALTER TABLE uploads ADD COLUMN visibility TEXT CHECK (visibility IN ('public', 'private'));
